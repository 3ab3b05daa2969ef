// Reports, one by one, whatever the connection does.
#ifndef MUSTER_CLIENT_COLLECTOR_H_
#define MUSTER_CLIENT_COLLECTOR_H_

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "base/deadline.h"
#include "client/connection.h"
#include "muster/v1/muster.pb.h"

namespace muster {

// Takes each report in worker order; it may be moved from.
using ReportCallback = std::function<void(v1::WorkerReport&&)>;

// Stops the pool of `request` and hands over its reports from request.from_worker() on, each once: after a break it
// dials again and goes on at the next worker. Does not confirm. INTERNAL when the daemon sends reports out of order, or
// too few.
absl::StatusOr<v1::PoolSummary> CollectReports(Connection& connection, v1::StopAndCollectRequest request,
                                               const Deadline& deadline, const ReportCallback& on_report);

}  // namespace muster

#endif  // MUSTER_CLIENT_COLLECTOR_H_
