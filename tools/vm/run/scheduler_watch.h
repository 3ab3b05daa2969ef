// Noticing during a run that a guest's scheduler is gone.
#ifndef MUSTER_TOOLS_VM_RUN_SCHEDULER_WATCH_H_
#define MUSTER_TOOLS_VM_RUN_SCHEDULER_WATCH_H_

#include <functional>
#include <string>
#include <thread>

#include "base/unique_fd.h"
#include "tools/vm/run/console_log.h"

namespace muster::vm {

// Calls `on_end` once, on a thread of its own, when the console says while this object lives that the scheduler of
// `start` is not active any more; init says so as soon as the kernel logs it. The destructor joins that thread.
class SchedulerWatch {
 public:
  // `console` is the path of the file that the guest's console is written to.
  SchedulerWatch(std::string console, SchedulerSample start, std::function<void()> on_end);
  ~SchedulerWatch();
  SchedulerWatch(const SchedulerWatch&) = delete;
  SchedulerWatch& operator=(const SchedulerWatch&) = delete;

 private:
  void Run();

  // An own reader of the file: the guest's is another thread's.
  ConsoleLog log_;
  const SchedulerSample start_;
  const std::function<void()> on_end_;
  // inotify on the file.
  UniqueFd news_;
  // An eventfd, readable when the destructor wants the thread to end.
  UniqueFd stop_;
  std::thread thread_;
};

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_RUN_SCHEDULER_WATCH_H_
