// A real musterd of the test's own: private directory, private instance, its own copy of the worker binary, by which
// every process that it starts can be told from everyone else's.
#ifndef MUSTER_TESTS_SUPPORT_TEST_DAEMON_H_
#define MUSTER_TESTS_SUPPORT_TEST_DAEMON_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/deadline.h"
#include "base/pidfd.h"
#include "base/spawn_process.h"

namespace muster {

struct TestDaemonOptions {
  // Worker binary, relative to the runfiles; the default has the misbehaving functions of
  // tests/support/misbehaviour.cc.
  std::string worker_binary = "tests/support/misbehaving_worker";
  // More flags of musterd.
  std::vector<std::string> flags;
  // Instance and socket are named after it; distinct for two daemons of one test.
  std::string name = "a";
  // Relative to the runfiles.
  std::string musterd = "daemon/musterd";
  // More than the test's own environment, as "NAME=value".
  std::vector<std::string> environment;
  // Handed down as a service manager does it.
  std::vector<int> sockets;
};

// The destructor ends the daemon with SIGKILL if it still runs, waits for the janitor, and removes the private
// directory.
class TestDaemon {
 public:
  // Returns when the daemon serves.
  static absl::StatusOr<std::unique_ptr<TestDaemon>> Start(const TestDaemonOptions& options = {});
  ~TestDaemon();
  TestDaemon(const TestDaemon&) = delete;
  TestDaemon& operator=(const TestDaemon&) = delete;

  // "unix:///…".
  const std::string& address() const { return addresses_.front(); }
  // That, and what further --listen flags made.
  const std::vector<std::string>& addresses() const { return addresses_; }
  pid_t pid() const { return process_.pid; }
  const std::string& directory() const { return directory_; }
  const std::string& instance() const { return instance_; }

  // Signals the daemon and waits for its end.
  absl::StatusOr<ProcessEnd> End(int signal_number, Deadline deadline);

  // Every live process that runs the daemon's copy of the worker binary: pool hosts, workers, janitor.
  std::vector<pid_t> WorkerProcesses() const;
  // Of those, the ones with `argument` on their command line ("--janitor").
  std::vector<pid_t> WorkerProcessesWith(const std::string& argument) const;

  // OK when no such process and no cgroup of the instance is left, waiting at most until the deadline; otherwise says
  // what is.
  absl::Status WaitUntilNothingIsLeft(Deadline deadline) const;
  // OK when only the janitor runs and the workload root has no cgroup in it.
  absl::Status WaitUntilIdle(Deadline deadline) const;

  // Absolute path of a cgroup of the workload root.
  std::string CgroupPath(const std::string& name) const;

 private:
  TestDaemon() = default;

  std::string directory_;
  std::string instance_;
  std::vector<std::string> addresses_;
  std::string instance_cgroup_;
  SpawnedProcess process_;
  bool ended_ = false;
};

// Waits until `path` is gone; false when it is still there at the deadline.
bool WaitUntilGone(const std::string& path, Deadline deadline);

}  // namespace muster

#endif  // MUSTER_TESTS_SUPPORT_TEST_DAEMON_H_
