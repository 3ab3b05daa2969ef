// What the comparisons stand on: programs, daemons with clients, and cgroups of the bench's own.
#ifndef MUSTER_TESTS_BENCH_STAND_H_
#define MUSTER_TESTS_BENCH_STAND_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/client.h"
#include "client/private_daemon.h"
#include "tests/bench/experiment.h"

namespace muster::bench {

struct Programs {
  std::string musterd;
  std::string worker;
  std::string bare;
  std::string ballast;     // a library for LD_PRELOAD
  std::string microbench;  // Google Benchmark's, of the meter
  std::string filler;      // a worker binary whose reports are full
  std::string stream_peer;
  std::string varint_peer;
  bool precedence = false;  // daemons get it too; see GivePrecedence
};

// A daemon of the bench's own with a client. The destructor ends both. Move-only.
class Bench {
 public:
  // `flags` of musterd. `environment` ("NAME=value") is set while the daemon starts.
  static absl::StatusOr<std::unique_ptr<Bench>> Open(const Programs& programs,
                                                     const std::vector<std::string>& flags = {},
                                                     const std::vector<std::string>& environment = {});

  Client& client() { return *client_; }
  const PrivateDaemon& daemon() const { return *daemon_; }
  // After somebody killed it on purpose.
  void ReapKilledDaemon() { (void)daemon_->Stop(); }
  const std::string& address() const { return daemon_->address(); }
  // Directory of the cgroup in which the daemon's pools have theirs.
  const std::string& workload_root() const { return workload_root_; }

 private:
  Bench() = default;

  // In the order of their making.
  std::unique_ptr<PrivateDaemon> daemon_;
  std::unique_ptr<Client> client_;
  std::string workload_root_;
};

// What a program prints.
struct ProgramOutput {
  std::string text;  // standard output, then standard error
  double took_s = 0;
};

// Runs a program (searched for on PATH unless it has a slash) to its end. Errors: it is not there, or did not exit
// well.
absl::StatusOr<ProgramOutput> RunProgram(const std::vector<std::string>& arguments);

// Runs `bare` and takes its lines, each name with `prefix` before it.
absl::StatusOr<Values> RunBare(const Programs& programs, const std::vector<std::string>& arguments,
                               const std::string& prefix = "bare.");

// A cgroup directory of the bench's own; the destructor removes it, once empty. Move-only.
class OwnCgroup {
 public:
  // Below the mount.
  static absl::StatusOr<std::unique_ptr<OwnCgroup>> Make(const std::string& name);
  // Below the directory `parent`.
  static absl::StatusOr<std::unique_ptr<OwnCgroup>> MakeIn(const std::string& parent, const std::string& name);
  ~OwnCgroup();

  const std::string& path() const { return path_; }

 private:
  explicit OwnCgroup(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

// As RunBare, in a cgroup beside those of the daemon's pools: what the kernel does for each cgroup above a task
// (pressure, accounting) is then done for both.
absl::StatusOr<Values> RunBareAmongWorkers(const Programs& programs, const Bench& bench,
                                           const std::vector<std::string>& arguments);
// An error when a worker lived in another place than beside that.
absl::Status CheckAmongWorkers(const Bench& bench, absl::string_view worker_cgroup);

// Puts this process, and with it what it starts in this session, before others that share the machine: a session of its
// own, whose autogroup has nice -20 (sched(7)). Tells why not when that does not work.
absl::Status TakePrecedence();
// The same for the session of another process.
absl::Status GivePrecedence(pid_t pid);

void SleepMs(uint64_t ms);

}  // namespace muster::bench

#endif  // MUSTER_TESTS_BENCH_STAND_H_
