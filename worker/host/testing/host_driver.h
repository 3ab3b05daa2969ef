// Drives a pool host in a test, as musterd would.
#ifndef MUSTER_WORKER_HOST_TESTING_HOST_DRIVER_H_
#define MUSTER_WORKER_HOST_TESTING_HOST_DRIVER_H_

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/unique_fd.h"
#include "muster/control/control.pb.h"
#include "muster/v1/workload.pb.h"
#include "worker/arena/arena.h"
#include "worker/control/channel.h"
#include "worker/host/cloner.h"

namespace muster::host {

// What a test may say about a Spawn beside its spec.
struct SpawnRequest {
  std::string spec;          // text of a WorkloadSpec
  std::vector<int> cgroups;  // directories, by group; one: everybody's; none: workers stay where the pool host is
  uint32_t spawners = 1;
  uint32_t control_priority = 0;
  bool allow_exec = false;
  absl::Duration timeout = absl::Seconds(20);
};

// How a pool host is started.
struct HostOptions {
  std::string binary;             // a worker binary to execute; empty: a fork of the test runs the pool host
  Cloner* cloner = nullptr;       // of a fork; null: the kernel's
  std::function<void()> in_host;  // a fork runs it first
};

// Owns a pool host and its pool's arena. The destructor ends both, and fails the test when the pool host does not end.
class HostDriver {
 public:
  explicit HostDriver(const HostOptions& options = {});
  ~HostDriver();
  HostDriver(const HostDriver&) = delete;
  HostDriver& operator=(const HostDriver&) = delete;

  control::Reply Spawn(const SpawnRequest& request);
  control::Reply Spawn(absl::string_view spec) { return Spawn({.spec = std::string(spec)}); }
  // Opens the gate and says so, as Start does.
  void Start();
  control::Reply Place(const control::Place& place, int cgroup = -1);
  control::Reply Stop(absl::Duration deadline = absl::Seconds(20), absl::Duration reap_budget = absl::Seconds(10));
  control::Reply Kill();
  // Sends without waiting for the answer, and awaits an answer.
  uint64_t SendSpawn(const SpawnRequest& request);
  uint64_t SendStop(absl::Duration deadline, absl::Duration reap_budget = absl::Seconds(10));
  uint64_t Send(control::Request request, const std::vector<int>& descriptors = {});
  control::Reply Await(uint64_t number);

  // Closes this end of the control channel.
  void HangUp() { channel_ = control::Channel(); }
  pid_t pid() const { return pid_; }
  // Waits for the pool host to end, and reaps it; its wait status, -1 when it did not end in time.
  int AwaitEnd(absl::Duration timeout = absl::Seconds(30));

  const arena::Arena& arena() const { return arena_; }
  arena::State StateOf(uint32_t worker) const { return arena_.live(worker).state.load(std::memory_order_acquire); }
  arena::Exit ExitOf(uint32_t worker) const { return arena_.host(worker).exit.load(std::memory_order_acquire); }
  int ExitValueOf(uint32_t worker) const { return arena_.host(worker).exit_value.load(); }
  pid_t PidOf(uint32_t worker) const { return arena_.host(worker).pid.load(); }
  pid_t TidOf(uint32_t worker) const { return arena_.host(worker).tid.load(); }
  uint64_t IterationsOf(uint32_t worker) const { return arena_.live(worker).iterations.load(); }
  // Workers whose death was told so far, in that order. Awaits at least `count`.
  std::vector<uint32_t> Deaths(size_t count);
  // All workers have left the gate, or `timeout` has passed: false.
  bool AwaitAllRunning(absl::Duration timeout = absl::Seconds(30)) const;

 private:
  void TakeEvent(absl::Duration timeout);

  control::Channel channel_;
  pid_t pid_ = -1;
  arena::Arena arena_;
  uint64_t last_number_ = 0;
  std::vector<control::Reply> replies_;
  std::vector<uint32_t> deaths_;
};

// Looks again and again until the condition holds; false when it does not within `timeout`.
bool Eventually(const std::function<bool()>& condition, absl::Duration timeout = absl::Seconds(30));

// Children of the calling process, and orphans that were given to it, that have not been reaped.
std::vector<pid_t> ChildrenLeft();

// Reads a spec and fills in the defaults, as musterd does before it sends it.
v1::WorkloadSpec ResolvedSpec(absl::string_view text);

}  // namespace muster::host

#endif  // MUSTER_WORKER_HOST_TESTING_HOST_DRIVER_H_
