#include "tools/cli/stop_signals.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <utility>

#include "base/errno_status.h"
#include "base/make_thread.h"
#include "base/status_macros.h"

namespace muster {
namespace {

// What a request carries, which a user's signal does not.
constexpr int kRequestValue = 0x57a9;

bool IsRequest(const signalfd_siginfo& info) { return info.ssi_code == SI_QUEUE && info.ssi_int == kRequestValue; }

void Post(const UniqueFd& event) {
  const uint64_t one = 1;
  // Fails only when the counter is full, and then it is readable already.
  [[maybe_unused]] const ssize_t done = write(event.get(), &one, sizeof(one));
}

// Whether it was posted since the last call.
bool TakePosts(const UniqueFd& event) {
  uint64_t count = 0;
  return read(event.get(), &count, sizeof(count)) == sizeof(count);
}

}  // namespace

absl::Status RequestStop() {
  if (sigqueue(getpid(), SIGTERM, {.sival_int = kRequestValue}) == 0) return absl::OkStatus();
  return ErrnoStatus(errno, "send SIGTERM to this process");
}

absl::StatusOr<StopSignals> StopSignals::Take() {
  sigset_t taken;
  sigset_t before;
  sigemptyset(&taken);
  sigaddset(&taken, SIGINT);
  sigaddset(&taken, SIGTERM);
  UniqueFd signals(signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals.valid()) return ErrnoStatus(errno, "make a signalfd");
  UniqueFd interrupt(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  UniqueFd guard_end(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!interrupt.valid() || !guard_end.valid()) return ErrnoStatus(errno, "make an eventfd");
  const int error = pthread_sigmask(SIG_BLOCK, &taken, &before);
  if (error != 0) return ErrnoStatus(error, "block SIGINT and SIGTERM");
  return StopSignals(std::move(signals), std::move(interrupt), std::move(guard_end), before);
}

StopSignals::StopSignals(UniqueFd signals, UniqueFd interrupt, UniqueFd guard_end, const sigset_t& before)
    : signals_(std::move(signals)),
      interrupt_(std::move(interrupt)),
      guard_end_(std::move(guard_end)),
      before_(before) {}

StopSignals::StopSignals(StopSignals&& other) noexcept = default;

StopSignals::~StopSignals() {
  if (signals_.valid()) pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

StopSignals::Wake StopSignals::WaitUntil(const Deadline& deadline) { return Wait(interrupt_, deadline); }

StopSignals::Wake StopSignals::Wait(const UniqueFd& interrupt, const Deadline& deadline) {
  while (true) {
    pollfd entries[] = {{signals_.get(), POLLIN, 0}, {interrupt.get(), POLLIN, 0}};
    const int ready = poll(entries, 2, deadline.PollTimeoutMs());
    signalfd_siginfo info;
    if (ready > 0 && read(signals_.get(), &info, sizeof(info)) == sizeof(info)) {
      return IsRequest(info) ? Wake::kRequest : Wake::kSignal;
    }
    if (ready > 0 && TakePosts(interrupt)) return Wake::kInterrupt;
    if (deadline.Expired()) return Wake::kDeadline;
  }
}

void StopSignals::Interrupt() { Post(interrupt_); }

SignalGuard::SignalGuard(StopSignals& signals, std::function<void()> on_signal, std::function<void()> on_request)
    : signals_(signals), on_signal_(std::move(on_signal)), on_request_(std::move(on_request)) {}

absl::StatusOr<std::unique_ptr<SignalGuard>> SignalGuard::Start(StopSignals& signals, std::function<void()> on_signal,
                                                                std::function<void()> on_request) {
  std::unique_ptr<SignalGuard> guard(new SignalGuard(signals, std::move(on_signal), std::move(on_request)));
  ASSIGN_OR_RETURN(guard->thread_, MakeThread("signals", [raw = guard.get()] { raw->Run(); }));
  return guard;
}

void SignalGuard::Run() {
  while (true) {
    const StopSignals::Wake wake = signals_.Wait(signals_.guard_end_, Deadline::After(absl::InfiniteDuration()));
    if (wake == StopSignals::Wake::kInterrupt) return;
    if (wake == StopSignals::Wake::kSignal) on_signal_();
    if (wake == StopSignals::Wake::kRequest) on_request_();
  }
}

SignalGuard::~SignalGuard() {
  if (!thread_.joinable()) return;
  Post(signals_.guard_end_);
  thread_.join();
}

}  // namespace muster
