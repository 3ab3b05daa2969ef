// After Start: nobody waits for a wake that will not come.
#ifndef MUSTER_WORKER_HOST_RELEASE_WATCH_H_
#define MUSTER_WORKER_HOST_RELEASE_WATCH_H_

#include <cstdint>

#include "worker/host/live_pool.h"

namespace muster::host {

// The tree of wakes stalls below a worker that is dead, stopped, frozen or starved. This looks at how many have come through;
// as soon as that number stands still between two looks, it wakes all the others itself.
class ReleaseWatch {
 public:
  // musterd has opened the gate.
  void Begin();
  void End() { next_look_ns_ = kNever; }
  // Monotonic instant of the next look; far away when there is nothing to look at.
  uint64_t next_look_ns() const { return next_look_ns_; }
  // To be called from that instant on.
  void Look(const LivePool& live);

 private:
  static constexpr uint64_t kNever = UINT64_MAX;

  uint64_t next_look_ns_ = kNever;
  uint32_t through_ = 0;
};

}  // namespace muster::host

#endif  // MUSTER_WORKER_HOST_RELEASE_WATCH_H_
