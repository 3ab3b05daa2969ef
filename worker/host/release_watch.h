// After Start: nobody waits for a wake that will not come.
#ifndef MUSTER_WORKER_HOST_RELEASE_WATCH_H_
#define MUSTER_WORKER_HOST_RELEASE_WATCH_H_

#include <cstdint>
#include <vector>

#include "worker/host/live_pool.h"

namespace muster::host {

// The tree of wakes stalls below a worker that is dead, stopped, frozen or starved. This looks at how far it has come.
// Below the dead it wakes the next ones at its first look; below others as soon as nobody at all comes through between
// two looks. It does not wake everybody at once: workers that were woken one by another run their first instructions
// far earlier than those of a crowd, in which each waits for the time slices of all before it.
class ReleaseWatch {
 public:
  // musterd has opened the gate.
  void Begin(const LivePool& live);
  void End() { next_look_ns_ = kNever; }
  // Monotonic instant of the next look; far away when there is nothing to look at.
  uint64_t next_look_ns() const { return next_look_ns_; }
  // To be called from that instant on; before it does nothing.
  void Look(const LivePool& live);
  // A worker has died: the next look is at each of them.
  void NoteDeath() { counts_believed_ = kMostCountsBelieved; }

 private:
  static constexpr uint64_t kNever = UINT64_MAX;
  // How often in a row the workers' common count may stand for a look at each of them.
  static constexpr uint32_t kMostCountsBelieved = 10;

  // A place in the tree passes its wake on when its worker has, or when this did it for it.
  bool Passes(const LivePool& live, uint32_t position) const;
  // Its worker was woken, and has not come through.
  bool IsHeld(const LivePool& live, uint32_t position) const;
  void StandIn(const LivePool& live, uint32_t position);
  void StandInForDead(const LivePool& live);
  void StandInForHeld(const LivePool& live);

  uint64_t next_look_ns_ = kNever;
  uint32_t through_ = 0;
  // By the workers' own word, which is believed for a while only.
  uint32_t passed_ = 0;
  uint32_t counts_believed_ = 0;
  std::vector<bool> stood_in_;  // by position
};

}  // namespace muster::host

#endif  // MUSTER_WORKER_HOST_RELEASE_WATCH_H_
