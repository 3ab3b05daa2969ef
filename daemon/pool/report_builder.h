// Reports and the summary of a pool whose workers have ended.
#ifndef MUSTER_DAEMON_POOL_REPORT_BUILDER_H_
#define MUSTER_DAEMON_POOL_REPORT_BUILDER_H_

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/pidfd.h"
#include "muster/v1/report.pb.h"
#include "muster/v1/workload.pb.h"
#include "worker/arena/arena.h"

struct muster_telemetry;

namespace muster {

// What the arena does not say. Everything outlives the calls; functions may be empty.
struct ReportContext {
  const arena::Arena* arena = nullptr;
  // Resolved.
  const v1::WorkloadSpec* spec = nullptr;
  // When the collection ended, for the age of last records.
  uint64_t collected_at_ns = 0;
  // How a worker ended that its pool host did not live to reap, when musterd reaped it as a stray.
  std::function<std::optional<ProcessEnd>(pid_t)> stray_end;
  // How the pool host was lost; empty when it was not.
  std::string host_error;
  // What a Custom program wrote through its telemetry descriptor; null: nothing, or no program.
  std::function<const muster_telemetry*(uint32_t worker)> telemetry;
  // The kernel's out-of-memory killer ended processes of this worker's cgroup while the pool ran.
  std::function<bool(uint32_t worker)> oom_killed;
};

// One worker's report, live or sentinel; `report` is overwritten. Whatever the worker wrote, it neither crashes nor
// takes more memory than the arena. Any thread.
void BuildReport(const ReportContext& context, uint32_t worker, bool without_samples, v1::WorkerReport* report);

// Fills in what the arena knows of the whole pool: workers, sentinels, release, skew, stop latency, reaping, groups.
// The rest of `summary` stays as it is.
void FillSummary(const ReportContext& context, v1::PoolSummary* summary);

// The groups of a resolved spec, as summaries and listings show them.
std::vector<v1::GroupSummary> GroupsOf(const v1::WorkloadSpec& spec);

}  // namespace muster

#endif  // MUSTER_DAEMON_POOL_REPORT_BUILDER_H_
