#include "worker/host/stopper.h"

#include <signal.h>

#include <algorithm>

#include "base/clock.h"
#include "worker/host/patience.h"

namespace muster::host {
namespace {

// Who has not left his loop when nobody does any more from one look to the next is taken to block.
constexpr uint64_t kLookEveryNs = 1'000'000;
// Nobody waits for longer for his signal. And one is lost on a worker that has looked at the stop word and does not
// block yet: worker/core/blocking.h.
constexpr uint64_t kSignalAgainNs = 50'000'000;

}  // namespace

void Stopper::Stop(uint64_t deadline_ns, uint64_t reap_budget_ns) {
  RaiseStopWord();
  SignalPrograms();
  AwaitLeaving(deadline_ns);
  while (!AwaitEnds(std::min(deadline_ns, MonotonicNs() + kSignalAgainNs))) {
    if (events_.hurried() || MonotonicNs() >= deadline_ns) break;
    InterruptBlocked();
  }
  live_.tasks.MarkLate();
  Kill(reap_budget_ns);
}

void Stopper::Kill(uint64_t reap_budget_ns) {
  live_.tasks.KillAll();
  live_.tasks.ReapAll(MonotonicNs() + reap_budget_ns);
}

void Stopper::RaiseStopWord() {
  arena::Header& header = live_.arena.header();
  uint64_t none = 0;
  header.stopped_at_ns.compare_exchange_strong(none, MonotonicNs());
  arena::RaiseStop(&header.stop);
  // Whoever waits at the gate is let go, and leaves at once.
  if (!live_.is_open()) arena::Open(live_.gate(), live_.arena.wake_order());
  for (uint32_t worker = 0; worker < live_.arena.num_workers(); ++worker) {
    if (live_.StateOf(worker) <= arena::State::kReady) arena::WakeAt(live_.gate(), live_.pool.WakePositionOf(worker));
  }
}

void Stopper::SignalPrograms() {
  for (const PoolGroup& group : live_.pool.groups()) {
    if (!group.is_program()) continue;
    const int signal_number = group.spec.work().custom().program().stop_signal();
    for (uint32_t worker = group.first_worker; worker < group.first_worker + group.num_workers; ++worker) {
      if (live_.arena.live(worker).state.load() != arena::State::kExec) continue;
      live_.tasks.Signal(live_.tasks.TaskOfWorker(worker), signal_number);
    }
  }
}

void Stopper::AwaitLeaving(uint64_t deadline_ns) {
  // The workers' own word, as all of this page: a worker that lies about it has its neighbours signalled at the bound.
  const std::atomic<uint32_t>& left = live_.board.head().arrivals.stopped.passed;
  Patience patience(left.load(std::memory_order_relaxed), std::min(deadline_ns, MonotonicNs() + kSignalAgainNs));
  while (!AwaitEnds(std::min(patience.until_ns(), MonotonicNs() + kLookEveryNs))) {
    const bool is_over = patience.IsOver(left.load(std::memory_order_relaxed), MonotonicNs());
    if (is_over || events_.hurried()) return InterruptBlocked();
  }
}

void Stopper::InterruptBlocked() {
  for (const PoolGroup& group : live_.pool.groups()) {
    if (group.is_program()) continue;
    for (uint32_t worker = group.first_worker; worker < group.first_worker + group.num_workers; ++worker) {
      InterruptWorker(worker);
    }
  }
}

void Stopper::InterruptWorker(uint32_t worker) {
  const arena::State state = live_.StateOf(worker);
  if (state == arena::State::kFinished || state == arena::State::kPanicked) return;
  // Waits for those that have not, perhaps: a signal would cost them the CPU.
  if (live_.arena.live(worker).is_leaving.load(std::memory_order_relaxed) != 0) return;
  // One that has ended is not reaped yet, so that its number is its own.
  live_.tasks.SignalThread(live_.tasks.TaskOfWorker(worker), live_.arena.host(worker).tid, SIGUSR1);
}

bool Stopper::AwaitEnds(uint64_t deadline_ns) {
  for (size_t task = 0; task < live_.tasks.size(); ++task) {
    if (!AwaitEnd(task, deadline_ns)) return false;
  }
  return true;
}

bool Stopper::AwaitEnd(size_t task, uint64_t deadline_ns) {
  if (live_.tasks.HasEnded(task)) return true;
  const absl::StatusOr<UniqueFd> pidfd = live_.tasks.OpenPidfd(task);
  // Not woken for every child that ends: they are looked at in order, and most have ended when their turn comes.
  Events::Interest interest = {.children = !pidfd.ok(), .bell = false, .fd = pidfd.ok() ? pidfd->get() : -1};
  while (!live_.tasks.HasEnded(task)) {
    if (events_.hurried() || MonotonicNs() >= deadline_ns) return false;
    // Ended, but not for its parent yet: a tracer hears of it first, and then SIGCHLD comes; ptrace(2).
    if (events_.Wait(deadline_ns, interest).fd) interest = {.children = true, .bell = false, .fd = -1};
  }
  return true;
}

}  // namespace muster::host
