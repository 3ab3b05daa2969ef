// The pool host: forks, places, stops and reaps the workers of one pool, as musterd asks it over the control channel.
#ifndef MUSTER_WORKER_HOST_POOL_HOST_H_
#define MUSTER_WORKER_HOST_POOL_HOST_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "worker/control/channel.h"
#include "worker/host/cloner.h"
#include "worker/host/events.h"
#include "worker/host/live_pool.h"
#include "worker/host/release_watch.h"
#include "worker/meter/procfs.h"

namespace muster::host {

// Serves one control channel until it is told to end, or its peer is gone. The process must be single-threaded, and a
// child of the channel's peer. When Run returns, no worker is left but those that the kernel does not let go.
class PoolHost {
 public:
  PoolHost(Events events, Cloner* cloner) : events_(std::move(events)), cloner_(*cloner) {}

  void Run();

 private:
  void Serve(Incoming incoming);
  void ServePlan(uint64_t number, Incoming incoming);
  void ServePlace(uint64_t number, Incoming incoming);
  void ServeStop(uint64_t number, const control::Stop& stop);
  void ServeKill(uint64_t number, const control::Kill& kill);
  // Without a pool: what was left of one that could not be made, and has ended by now.
  void ReapStrays();
  void ReportDeaths();
  void ReportDeath(size_t task);
  void Reply(uint64_t number, const absl::Status& status, control::Reply reply = {});

  Events events_;
  Cloner& cloner_;
  // Made before a plan brings descriptors: next to the bell, so that a worker closes all others by two calls.
  const UniqueFd proc_ = OpenProc();
  std::unique_ptr<LivePool> live_;  // null before a plan was carried out
  ReleaseWatch release_watch_;
  bool done_ = false;
};

// What `--pool-host` runs: settles this process in its role (death signal, priority, parent), and serves. Returns the
// exit code.
int RunPoolHost(int control_fd);

}  // namespace muster::host

#endif  // MUSTER_WORKER_HOST_POOL_HOST_H_
