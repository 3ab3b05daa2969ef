#include "tools/vm/run/guest_watch.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

namespace muster::vm {

GuestWatch::GuestWatch(const Pidfd& process, std::function<void()> on_end)
    : process_(process),
      on_end_(std::move(on_end)),
      stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      thread_([this] { Run(); }) {}

void GuestWatch::Run() {
  pollfd waits[] = {{process_.fd(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
  while (poll(waits, 2, -1) < 0 && errno == EINTR) {
  }
  if (waits[1].revents == 0) on_end_();
}

GuestWatch::~GuestWatch() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t told = write(stop_.get(), &one, sizeof(one));
  thread_.join();
}

}  // namespace muster::vm
