#include "daemon/pool/pool.h"

#include <utility>

#include "daemon/pool/pool_core.h"

namespace muster {

const std::string& Pool::id() const { return core_->id(); }
PoolState Pool::state() const { return core_->state(); }
const v1::WorkloadSpec& Pool::resolved_spec() const { return core_->resolved().spec; }
uint32_t Pool::num_workers() const { return core_->resolved().num_workers; }
std::vector<WorkerInfo> Pool::Workers() const { return core_->Workers(); }
pid_t Pool::host_pid() const { return core_->host_pid(); }
PoolInfo Pool::Info() const { return core_->Info(); }
PoolLabels Pool::labels() const { return core_->labels(); }
void Pool::ForgetLease() { core_->ForgetLease(); }

absl::StatusOr<std::vector<PlaceOutcome>> Pool::Place(const PlaceTarget& target, Deadline deadline) {
  return core_->Place(target, deadline);
}

absl::StatusOr<StartResult> Pool::StartAll(const std::vector<Pool>& pools, Deadline deadline) {
  std::vector<std::shared_ptr<PoolCore>> cores;
  for (const Pool& pool : pools) cores.push_back(pool.core_);
  return PoolCore::StartAll(std::move(cores), deadline);
}

absl::StatusOr<PoolSnapshot> Pool::Snapshot() const { return core_->Snapshot(); }
absl::Status Pool::Stop(Deadline deadline) { return core_->Stop(deadline); }

absl::Status Pool::Collect(const CollectOptions& options, ReportSink* sink, Deadline deadline) {
  return core_->Collect(options, sink, deadline);
}

absl::Status Pool::FillReport(uint32_t worker, bool without_samples, v1::WorkerReport* report) const {
  return core_->FillReport(worker, without_samples, report);
}

absl::StatusOr<SamplesInPlace> Pool::FillReportAroundSamples(uint32_t worker, v1::WorkerReport* report) const {
  return core_->FillReportAroundSamples(worker, report);
}

absl::StatusOr<v1::PoolSummary> Pool::Summary() const { return core_->Summary(); }

}  // namespace muster
