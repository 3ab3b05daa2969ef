// From a plan to workers that wait at the gate.
#ifndef MUSTER_WORKER_HOST_MAKER_H_
#define MUSTER_WORKER_HOST_MAKER_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "base/unique_fd.h"
#include "muster/control/control.pb.h"
#include "worker/host/cloner.h"
#include "worker/host/events.h"
#include "worker/host/live_pool.h"
#include "worker/host/workshop.h"

namespace muster::host {

// Makes the pool of a plan and waits until all its workers are at the gate. On any failure nothing of it is left.
// Errors: those of Admit; RESOURCE_EXHAUSTED with the call and the worker; DEADLINE_EXCEEDED of the plan's
// spawn_timeout; ABORTED when a worker ended, or musterd changed its mind.
class Maker {
 public:
  // `proc_fd`: see Workshop.
  Maker(Cloner* cloner, Events* events, int proc_fd) : cloner_(*cloner), events_(*events), proc_fd_(proc_fd) {}

  absl::StatusOr<std::unique_ptr<LivePool>> Make(control::Plan plan, std::vector<UniqueFd> descriptors);

 private:
  absl::Status Prepare(control::Plan plan, std::vector<UniqueFd> descriptors);
  absl::Status MakeTelemetry();
  absl::Status Spawn();
  Workshop SetUpShop();
  absl::Status SpawnProcesses(const Workshop& shop);
  absl::Status SpawnThreads(const Workshop& shop);
  void ExpectArrivals();
  absl::Status AwaitGate();
  void RecordThreads();
  absl::Status AwaitBell();
  bool AllAtGate() const;
  absl::Status ExplainEnd(size_t task);
  absl::Status Late() const;
  void Undo();

  Cloner& cloner_;
  Events& events_;
  const int proc_fd_;
  std::unique_ptr<LivePool> live_;
  uint64_t deadline_ns_ = 0;
};

}  // namespace muster::host

#endif  // MUSTER_WORKER_HOST_MAKER_H_
