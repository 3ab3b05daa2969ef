// Ctrl-C while a guest runs.
#ifndef MUSTER_TOOLS_VM_RUN_INTERRUPT_WATCH_H_
#define MUSTER_TOOLS_VM_RUN_INTERRUPT_WATCH_H_

#include <signal.h>

#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "base/unique_fd.h"

namespace muster::vm {

// Takes SIGINT, SIGTERM and SIGHUP for the whole process while it lives: on the first of them it calls `clean_up` on a
// thread of its own and ends the process with kExitInterrupted, whatever the other threads are waiting for. The
// destructor joins that thread. Make it before any other thread exists, as those inherit the signal mask.
class InterruptWatch {
 public:
  static absl::StatusOr<std::unique_ptr<InterruptWatch>> Start();
  ~InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

  // Ends the watch and gives SIGHUP back. SIGINT and SIGTERM stay blocked: none is lost before whoever takes them next
  // does, and none ends the process without a clean-up after that.
  void HandOver();

  // Runs `act`, which takes seconds at most, while an interrupt waits; what it returns replaces the clean-up. So there
  // is no moment at which something exists that nobody would clean up.
  template <typename Act>
  void Exchange(Act act) {
    MutexLock lock(&mutex_);
    clean_up_ = act();
  }

 private:
  InterruptWatch() = default;
  void Run();
  void JoinThread();

  Mutex mutex_;
  std::function<void()> clean_up_ ABSL_GUARDED_BY(mutex_);
  sigset_t mask_before_;
  UniqueFd signals_;
  // An eventfd, readable when the destructor wants the thread to end.
  UniqueFd stop_;
  std::thread thread_;
};

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_RUN_INTERRUPT_WATCH_H_
