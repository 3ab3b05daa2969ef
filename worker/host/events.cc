#include "worker/host/events.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/errno_status.h"
#include "base/log.h"
#include "base/status_macros.h"

namespace muster::host {
namespace {

constexpr absl::Duration kSendBound = absl::Seconds(10);

absl::StatusOr<UniqueFd> SignalFd(int signal_number) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal_number);
  UniqueFd fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) return ErrnoStatus(errno, absl::StrCat("signalfd of signal ", signal_number));
  return fd;
}

void BlockSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal_number : {SIGCHLD, SIGTERM, SIGUSR1}) sigaddset(&set, signal_number);
  sigprocmask(SIG_BLOCK, &set, nullptr);
}

// Empties a signalfd or an eventfd.
void Drain(int fd) {
  char bytes[8 * sizeof(signalfd_siginfo)];
  while (read(fd, bytes, sizeof(bytes)) == static_cast<ssize_t>(sizeof(bytes))) {
  }
}

timespec Left(uint64_t deadline_ns) {
  const uint64_t now_ns = MonotonicNs();
  return ToTimespec(deadline_ns > now_ns ? deadline_ns - now_ns : 0);
}

}  // namespace

absl::StatusOr<Events> Events::Create(control::Channel channel) {
  BlockSignals();
  Events events;
  events.channel_ = std::move(channel);
  ASSIGN_OR_RETURN(events.children_, SignalFd(SIGCHLD));
  ASSIGN_OR_RETURN(events.terminate_, SignalFd(SIGTERM));
  events.bell_.Reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!events.bell_.valid()) return ErrnoStatus(errno, "eventfd");
  return events;
}

Events::Ready Events::Wait(uint64_t deadline_ns, const Interest& interest) {
  // Negative descriptors are ignored; poll(2).
  pollfd waits[] = {{channel_.fd(), POLLIN, 0},
                    {terminate_.get(), POLLIN, 0},
                    {interest.bell ? bell_.get() : -1, POLLIN, 0},
                    {interest.children ? children_.get() : -1, POLLIN, 0},
                    {interest.fd, POLLIN, 0}};
  // What makes the caller hurry may have come together with an earlier request; nothing more need come.
  const timespec timeout = hurried() ? timespec{} : Left(deadline_ns);
  if (ppoll(waits, std::size(waits), &timeout, nullptr) <= 0) return {};
  if (waits[0].revents != 0) TakeRequests();
  if (waits[1].revents != 0) must_end_ = true;
  Ready ready;
  ready.bell = waits[2].revents != 0;
  ready.children = waits[3].revents != 0;
  ready.fd = waits[4].revents != 0;
  if (ready.bell) Drain(bell_.get());
  if (ready.children) Drain(children_.get());
  return ready;
}

void Events::TakeRequests() {
  while (!must_end_) {
    absl::StatusOr<control::Frame> frame = channel_.Receive(absl::ZeroDuration());
    if (absl::IsDeadlineExceeded(frame.status())) return;
    Incoming incoming;
    if (!frame.ok() || !incoming.request.ParseFromString(frame->bytes)) {
      if (!absl::IsUnavailable(frame.status())) LogWarning("pool host: a control message that cannot be read; ending");
      must_end_ = true;
      return;
    }
    incoming.descriptors = std::move(frame->descriptors);
    kill_waits_ = kill_waits_ || incoming.request.has_kill();
    requests_.push_back(std::move(incoming));
  }
}

std::optional<Incoming> Events::NextRequest() {
  if (requests_.empty()) return std::nullopt;
  Incoming first = std::move(requests_.front());
  requests_.pop_front();
  kill_waits_ = std::any_of(requests_.begin(), requests_.end(),
                            [](const Incoming& incoming) { return incoming.request.has_kill(); });
  return first;
}

void Events::Send(const control::Event& event) {
  if (!channel_.Send(event, {}, kSendBound).ok()) must_end_ = true;
}

}  // namespace muster::host
