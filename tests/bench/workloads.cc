#include "tests/bench/workloads.h"

#include <google/protobuf/text_format.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/status_macros.h"

namespace muster::bench {
namespace {

// Blocks for an hour, and takes no sample before.
constexpr char kBlocker[] = "timer_latency { interval_us: 3600000000 }";
constexpr int kSnapshots = 21;
// A thousand have started long before.
constexpr uint64_t kUnseenMs = 50;

absl::StatusOr<double> TypicalSnapshot(const WorkloadHandle& handle) {
  std::vector<double> took_ns;
  for (int i = 0; i < kSnapshots; ++i) {
    const uint64_t began_ns = MonotonicNs();
    RETURN_IF_ERROR(handle.Snapshot().status());
    took_ns.push_back(MonotonicNs() - began_ns);
  }
  return QuartilesOf(took_ns).median;
}

}  // namespace

v1::WorkloadSpec Workers(uint32_t workers, absl::string_view work, absl::string_view more) {
  v1::WorkloadSpec spec;
  google::protobuf::TextFormat::ParseFromString(absl::StrCat("num_workers: ", workers, " work { ", work, " } ", more),
                                                &spec);
  return spec;
}

v1::WorkloadSpec AtGate(uint32_t workers, absl::string_view more) { return Workers(workers, "spin_wait {}", more); }

v1::WorkloadSpec Blockers(uint32_t workers, absl::string_view more) {
  return Workers(workers, kBlocker, absl::StrCat("max_samples: 0 ", more));
}

absl::StatusOr<Values> Live(Client& client, const Life& life) {
  Values values;
  const auto set = [&](const char* name, double value) { values[absl::StrCat(life.prefix, name)] = value; };
  uint64_t began_ns = MonotonicNs();
  ASSIGN_OR_RETURN(WorkloadHandle handle, client.Spawn(life.spec));
  set("spawn_ns", MonotonicNs() - began_ns);
  began_ns = MonotonicNs();
  RETURN_IF_ERROR(handle.Start());
  set("start_ns", MonotonicNs() - began_ns);
  // Nobody looks at the bare ones either while they start.
  SleepMs(kUnseenMs);
  RETURN_IF_ERROR(AwaitAllRunning(handle));
  SleepMs(life.run_ms);
  ASSIGN_OR_RETURN(const double snapshot_ns, TypicalSnapshot(handle));
  set("snapshot_ns", snapshot_ns);
  began_ns = MonotonicNs();
  ASSIGN_OR_RETURN(
      const v1::PoolSummary summary,
      std::move(handle).StopAndCollect([](v1::WorkerReport&&) {}, CollectOptions{.without_samples = true}));
  set("collect_ns", MonotonicNs() - began_ns);
  if (summary.sentinels() != 0) return absl::InternalError(absl::StrCat(summary.sentinels(), " sentinel reports"));
  set("release_ns", summary.release_call_ns());
  set("last_start_ns", summary.last_start_ns());
  set("start_skew_ns", summary.start_skew_ns());
  set("stop_ns", summary.stop_latency_ns());
  set("reap_ns", summary.reap_ns());
  return values;
}

absl::StatusOr<Values> SpawnAndDrop(Client& client, const v1::WorkloadSpec& spec, const std::string& prefix) {
  Values values;
  const uint64_t began_ns = MonotonicNs();
  ASSIGN_OR_RETURN(WorkloadHandle handle, client.Spawn(spec));
  const uint64_t ready_ns = MonotonicNs();
  RETURN_IF_ERROR(std::move(handle).Drop());
  values[prefix + "spawn_ns"] = ready_ns - began_ns;
  values[prefix + "drop_ns"] = MonotonicNs() - ready_ns;
  return values;
}

absl::StatusOr<CollectedReports> RunFor(Client& client, const TimedRun& run) {
  ASSIGN_OR_RETURN(WorkloadHandle handle, client.Spawn(run.spec));
  RETURN_IF_ERROR(handle.Start());
  SleepMs(run.run_ms);
  return std::move(handle).StopAndCollect(CollectOptions{.without_samples = true});
}

absl::Status AwaitAllRunning(const WorkloadHandle& handle) {
  const Deadline deadline = Deadline::After(absl::Seconds(10));
  while (!deadline.Expired()) {
    ASSIGN_OR_RETURN(const v1::SnapshotResponse snapshot, handle.Snapshot());
    const auto& states = snapshot.states();
    if (std::find(states.begin(), states.end(), v1::BLOCKED) == states.end()) return absl::OkStatus();
    SleepMs(5);
  }
  return absl::DeadlineExceededError("some workers never started");
}

}  // namespace muster::bench
