// SIGINT and SIGTERM as something to wait for.
#ifndef MUSTER_TOOLS_CLI_STOP_SIGNALS_H_
#define MUSTER_TOOLS_CLI_STOP_SIGNALS_H_

#include <signal.h>

#include <functional>
#include <memory>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/deadline.h"
#include "base/unique_fd.h"

namespace muster {

// Takes SIGINT and SIGTERM for this process: blocks them in the calling thread and in threads it makes later, so make
// it before any other thread. The destructor gives them back. Waiting is for one thread at a time, Interrupt for any.
class StopSignals {
 public:
  // kRequest: of RequestStop.
  enum class Wake { kSignal, kRequest, kInterrupt, kDeadline };

  static absl::StatusOr<StopSignals> Take();
  StopSignals(StopSignals&& other) noexcept;
  StopSignals& operator=(StopSignals&&) = delete;
  ~StopSignals();

  // Until a signal or a request came, which is used up, or Interrupt was called, or the deadline has passed.
  Wake WaitUntil(const Deadline& deadline);

  // Wakes a waiting thread, or the next that waits.
  void Interrupt();

 private:
  friend class SignalGuard;

  StopSignals(UniqueFd signals, UniqueFd interrupt, UniqueFd guard_end, const sigset_t& before);

  Wake Wait(const UniqueFd& interrupt, const Deadline& deadline);

  UniqueFd signals_;
  // Eventfds. A guard's end has its own: it may find its thread on the way to its wait or past it, and whoever waits
  // next must not take it for an interrupt of his.
  UniqueFd interrupt_;
  UniqueFd guard_end_;
  sigset_t before_;
};

// Has this process stopped by itself. For whoever waits it is as if the user had asked, but it is never taken for the
// second time that he asks. Any thread. OK when a signal of the user's is under way already.
absl::Status RequestStop();

// Calls `on_signal` for each signal, and `on_request` for each request, from a thread of its own while it lives; the
// destructor joins that thread. Nobody else may wait on `signals` meanwhile.
class SignalGuard {
 public:
  // RESOURCE_EXHAUSTED: there is no room for a thread.
  static absl::StatusOr<std::unique_ptr<SignalGuard>> Start(
      StopSignals& signals, std::function<void()> on_signal, std::function<void()> on_request = [] {});
  ~SignalGuard();
  SignalGuard(const SignalGuard&) = delete;
  SignalGuard& operator=(const SignalGuard&) = delete;

 private:
  SignalGuard(StopSignals& signals, std::function<void()> on_signal, std::function<void()> on_request);

  void Run();

  StopSignals& signals_;
  const std::function<void()> on_signal_;
  const std::function<void()> on_request_;
  std::thread thread_;
};

}  // namespace muster

#endif  // MUSTER_TOOLS_CLI_STOP_SIGNALS_H_
