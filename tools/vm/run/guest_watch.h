// The end of a guest while something else is waited for.
#ifndef MUSTER_TOOLS_VM_RUN_GUEST_WATCH_H_
#define MUSTER_TOOLS_VM_RUN_GUEST_WATCH_H_

#include <functional>
#include <thread>

#include "base/pidfd.h"
#include "base/unique_fd.h"

namespace muster::vm {

// Calls `on_end`, on a thread of its own, when the process ends while this object lives. The destructor joins that
// thread.
class GuestWatch {
 public:
  // `process` must outlive this object.
  GuestWatch(const Pidfd& process, std::function<void()> on_end);
  ~GuestWatch();
  GuestWatch(const GuestWatch&) = delete;
  GuestWatch& operator=(const GuestWatch&) = delete;

 private:
  void Run();

  const Pidfd& process_;
  const std::function<void()> on_end_;
  // An eventfd, readable when the destructor wants the thread to end.
  UniqueFd stop_;
  std::thread thread_;
};

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_RUN_GUEST_WATCH_H_
