// One spec, run through the client library.
#ifndef MUSTER_TOOLS_VM_RUN_WORKLOAD_H_
#define MUSTER_TOOLS_VM_RUN_WORKLOAD_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/client.h"
#include "client/report_summary.h"
#include "muster/v1/muster.pb.h"

namespace muster::vm {

// Reads a WorkloadSpec in protobuf's text format; INVALID_ARGUMENT with line and column.
absl::StatusOr<v1::WorkloadSpec> ReadSpec(const std::string& path);

struct WorkloadRequest {
  std::string address;
  v1::WorkloadSpec spec;
  // For connecting, while the daemon comes up.
  absl::Duration connect_timeout;
  // Reports and summary go there as JSON; empty: nowhere.
  std::string out;
};

// Spawn, start, the spec's duration, stop, collect.
absl::StatusOr<ReportSummary> RunWorkload(const WorkloadRequest& request);

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_RUN_WORKLOAD_H_
