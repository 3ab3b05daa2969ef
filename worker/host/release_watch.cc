#include "worker/host/release_watch.h"

#include "base/clock.h"

namespace muster::host {
namespace {

// One wake takes some 10 µs when the CPU is free, and a few time slices when it is not.
constexpr uint64_t kLookEveryNs = 5'000'000;

uint32_t WorkerAt(const LivePool& live, uint32_t position) { return live.arena.wake_order()[position]; }

bool HasLeftGate(const LivePool& live, uint32_t worker) { return live.StateOf(worker) > arena::State::kReady; }

bool IsDead(const LivePool& live, uint32_t worker) {
  return live.arena.host(worker).exit.load(std::memory_order_acquire) != arena::Exit::kNone;
}

}  // namespace

void ReleaseWatch::Begin(const LivePool& live) {
  through_ = 0;
  passed_ = 0;
  counts_believed_ = 0;
  stood_in_.assign(live.arena.num_workers(), false);
  StandInForDead(live);
  next_look_ns_ = MonotonicNs() + kLookEveryNs;
}

bool ReleaseWatch::Passes(const LivePool& live, uint32_t position) const {
  return stood_in_[position] || HasLeftGate(live, WorkerAt(live, position));
}

bool ReleaseWatch::IsHeld(const LivePool& live, uint32_t position) const {
  const bool was_woken = position == 0 || Passes(live, arena::Gate::Above(position));
  return was_woken && !Passes(live, position);
}

void ReleaseWatch::StandIn(const LivePool& live, uint32_t position) {
  stood_in_[position] = true;
  arena::WakeChildren(live.gate(), position);
}

void ReleaseWatch::StandInForDead(const LivePool& live) {
  for (uint32_t position = 0; position < stood_in_.size(); ++position) {
    // The dead stand in one table, the living each in a page of his own.
    if (IsDead(live, WorkerAt(live, position)) && IsHeld(live, position)) StandIn(live, position);
  }
}

void ReleaseWatch::StandInForHeld(const LivePool& live) {
  // All of them before the first wake: whom this wakes is not held yet.
  std::vector<uint32_t> held;
  for (uint32_t position = 0; position < stood_in_.size(); ++position) {
    if (IsHeld(live, position)) held.push_back(position);
  }
  for (const uint32_t position : held) StandIn(live, position);
}

void ReleaseWatch::Look(const LivePool& live) {
  if (MonotonicNs() < next_look_ns_) return;
  next_look_ns_ = MonotonicNs() + kLookEveryNs;
  const uint32_t workers = live.arena.num_workers();
  const uint32_t passed = live.board.head().arrivals.started.passed.load(std::memory_order_relaxed);
  const bool is_moving = passed != passed_;
  passed_ = passed;
  // A look at each takes the CPU from those who are to come through: a page each that is in no cache.
  if (is_moving && passed < workers && ++counts_believed_ < kMostCountsBelieved) return;
  counts_believed_ = 0;
  uint32_t through = 0;
  uint32_t passing = 0;
  for (uint32_t position = 0; position < workers; ++position) {
    through += HasLeftGate(live, WorkerAt(live, position));
    passing += Passes(live, position);
  }
  if (passing == workers) return End();
  if (!is_moving || through == through_) StandInForHeld(live);
  StandInForDead(live);
  through_ = through;
}

}  // namespace muster::host
