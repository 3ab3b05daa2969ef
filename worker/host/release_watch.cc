#include "worker/host/release_watch.h"

#include "base/clock.h"

namespace muster::host {
namespace {

// A wake from one worker to the next takes some 10 µs; a tree that moves at all moves much in this time.
constexpr uint64_t kLookEveryNs = 1'000'000;

bool HasLeftGate(const LivePool& live, uint32_t worker) { return live.StateOf(worker) > arena::State::kReady; }

}  // namespace

void ReleaseWatch::Begin() {
  through_ = 0;
  next_look_ns_ = MonotonicNs() + kLookEveryNs;
}

void ReleaseWatch::Look(const LivePool& live) {
  if (MonotonicNs() < next_look_ns_) return;
  uint32_t through = 0;
  for (uint32_t worker = 0; worker < live.arena.num_workers(); ++worker) through += HasLeftGate(live, worker);
  next_look_ns_ = MonotonicNs() + kLookEveryNs;
  if (through == live.arena.num_workers()) return End();
  if (through > through_) {
    through_ = through;
    return;
  }
  // One wake each is enough: whoever is not waiting now finds the gate open when it comes to it.
  for (uint32_t worker = 0; worker < live.arena.num_workers(); ++worker) {
    if (!HasLeftGate(live, worker)) arena::WakeOne(live.gate(), worker);
  }
  End();
}

}  // namespace muster::host
