#include "tools/vm/run/scheduler_watch.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <utility>

namespace muster::vm {

SchedulerWatch::SchedulerWatch(std::string console, SchedulerSample start, std::function<void()> on_end)
    : log_(console),
      start_(std::move(start)),
      on_end_(std::move(on_end)),
      news_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)),
      stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  // Without it the end of the run tells all the same.
  inotify_add_watch(news_.get(), console.c_str(), IN_MODIFY);
  thread_ = std::thread([this] { Run(); });
}

void SchedulerWatch::Run() {
  while (true) {
    log_.Update();
    const SchedulerLog& seen = log_.progress().scheduler;
    if (seen.samples > 0 && FindEjection(start_, seen.last).has_value()) return on_end_();
    pollfd waits[] = {{news_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    while (poll(waits, 2, -1) < 0 && errno == EINTR) {
    }
    if (waits[1].revents != 0) return;
    char events[4096];
    while (read(news_.get(), events, sizeof(events)) > 0) {
    }
  }
}

SchedulerWatch::~SchedulerWatch() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t told = write(stop_.get(), &one, sizeof(one));
  thread_.join();
}

}  // namespace muster::vm
