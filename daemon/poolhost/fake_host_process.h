// A pool host process that is none, for tests whose pool host is a thread.
#ifndef MUSTER_DAEMON_POOLHOST_FAKE_HOST_PROCESS_H_
#define MUSTER_DAEMON_POOLHOST_FAKE_HOST_PROCESS_H_

#include <functional>
#include <memory>

#include "base/mutex.h"
#include "daemon/poolhost/host_process.h"

namespace muster {

// What a test does to it: shared between the test and the FakeHostProcess, which belongs to the code under test.
// Thread-safe.
class FakeProcess {
 public:
  explicit FakeProcess(pid_t pid);

  pid_t pid() const { return pid_; }
  // It ends; a second end is ignored.
  void End(ProcessEnd end);
  // Called once when it is killed, before it ends.
  void OnKill(std::function<void()> callback);
  // Called before each copy of a descriptor.
  void OnCopy(std::function<void()> callback);
  // From now on SIGKILL does not end it.
  void Stick();
  bool reaped() const;
  bool killed() const;

 private:
  friend class FakeHostProcess;

  const pid_t pid_;
  const UniqueFd death_;
  mutable Mutex mutex_;
  bool stuck_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool reaped_ ABSL_GUARDED_BY(mutex_) = false;
  bool killed_ ABSL_GUARDED_BY(mutex_) = false;
  ProcessEnd end_ ABSL_GUARDED_BY(mutex_);
  std::function<void()> on_kill_ ABSL_GUARDED_BY(mutex_);
  std::function<void()> on_copy_ ABSL_GUARDED_BY(mutex_);
};

class FakeHostProcess : public HostProcess {
 public:
  explicit FakeHostProcess(std::shared_ptr<FakeProcess> process) : process_(std::move(process)) {}
  // As the real one: kills and reaps if need be.
  ~FakeHostProcess() override;

  pid_t pid() const override { return process_->pid(); }
  int death_fd() const override { return process_->death_.get(); }
  absl::Status Kill() override;
  absl::StatusOr<ProcessEnd> Reap(Deadline deadline) override;
  uint64_t CpuTimeNs() override { return 0; }
  // Of the test's own process.
  absl::StatusOr<UniqueFd> CopyDescriptor(int fd) override;

 private:
  const std::shared_ptr<FakeProcess> process_;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_POOLHOST_FAKE_HOST_PROCESS_H_
