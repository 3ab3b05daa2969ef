// One pool of a daemon, by its id.
#ifndef MUSTER_CLIENT_REMOTE_POOL_H_
#define MUSTER_CLIENT_REMOTE_POOL_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/call_options.h"
#include "client/collector.h"
#include "client/connection.h"
#include "client/watcher.h"
#include "muster/v1/muster.pb.h"

namespace muster {

struct CollectOptions {
  // The daemon takes up to five seconds to stop the workers, and what a work type needs to drain; then the reports are
  // sent.
  CallOptions call = {.timeout = absl::Minutes(5)};
  // Leaves the samples (not the histograms) out of the reports.
  bool without_samples = false;
};

// Calls in the name of an authority on a pool that somebody else owns: destroying this does nothing to the pool.
// Thread-safe, copyable.
class RemotePool {
 public:
  RemotePool(std::shared_ptr<Connection> connection, v1::Authority authority, std::string id)
      : connection_(std::move(connection)), authority_(std::move(authority)), id_(std::move(id)) {}

  const std::string& id() const { return id_; }

  // `request` says which workers, where to and how; the rest is filled in. Look at the outcomes: the call succeeds also
  // when single workers could not be placed.
  absl::StatusOr<v1::PlaceResponse> Place(v1::PlaceRequest request, CallOptions options = {}) const;

  // Releases the workers. Again: succeeds and does nothing.
  absl::Status Start(CallOptions options = {}) const;

  absl::StatusOr<v1::SnapshotResponse> Snapshot(CallOptions options = {}) const;

  // Updates until the pool ends; options.timeout bounds the whole watching.
  std::unique_ptr<Watcher> Watch(absl::Duration period, CallOptions options) const;

  // Stops the pool and hands over every report in worker order. Again: the same reports, until confirmed.
  absl::StatusOr<v1::PoolSummary> Collect(const CollectOptions& options, const ReportCallback& on_report) const;

  // The daemon may forget the pool and its reports.
  absl::Status Confirm(CallOptions options = {}) const;

  // Kills, reaps and forgets the pool. False: there was none.
  absl::StatusOr<bool> Drop(CallOptions options = {}) const;

 private:
  friend class WorkloadHandle;

  std::shared_ptr<Connection> connection_;
  v1::Authority authority_;
  std::string id_;
};

}  // namespace muster

#endif  // MUSTER_CLIENT_REMOTE_POOL_H_
