// Ending a pool: stop, sweep, reap.
#ifndef MUSTER_WORKER_HOST_STOPPER_H_
#define MUSTER_WORKER_HOST_STOPPER_H_

#include <cstdint>

#include "worker/host/events.h"
#include "worker/host/live_pool.h"

namespace muster::host {

// Ends the tasks of one pool. Afterwards all are reaped and their ends stand in the host table, but for those that the
// kernel does not let go within the reap budget (Exit::kStuck).
class Stopper {
 public:
  Stopper(LivePool* live, Events* events) : live_(*live), events_(*events) {}

  // Asks the workers to stop, and waits until they have ended or the monotonic instant has passed; or until musterd is
  // in a hurry. Then Kill.
  void Stop(uint64_t deadline_ns, uint64_t reap_budget_ns);

  // SIGKILL to every process group, before any of their leaders is reaped; then reaps one by one.
  void Kill(uint64_t reap_budget_ns);

 private:
  void RaiseStopWord();
  // Until nobody leaves his loop any more; then the first InterruptBlocked, unless all have ended.
  void AwaitLeaving(uint64_t deadline_ns);
  // Signals all that have not left their loops.
  void InterruptBlocked();
  void SignalPrograms();
  // True when all tasks have ended.
  bool AwaitEnds(uint64_t deadline_ns);
  // Waits for one; false at the deadline.
  bool AwaitEnd(size_t task, uint64_t deadline_ns);
  void InterruptWorker(uint32_t worker);

  LivePool& live_;
  Events& events_;
};

}  // namespace muster::host

#endif  // MUSTER_WORKER_HOST_STOPPER_H_
