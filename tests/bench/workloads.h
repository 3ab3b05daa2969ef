// Pools as the comparisons use them.
#ifndef MUSTER_TESTS_BENCH_WORKLOADS_H_
#define MUSTER_TESTS_BENCH_WORKLOADS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/client.h"
#include "tests/bench/experiment.h"
#include "tests/bench/stand.h"

namespace muster::bench {

// Workers that block as soon as they have started, and take no samples; `more` is further text of the spec.
v1::WorkloadSpec Blockers(uint32_t workers, absl::string_view more = "");
// Workers that stay at their gate, of the default type, which takes no samples.
v1::WorkloadSpec AtGate(uint32_t workers, absl::string_view more = "");
// Workers of `work` (text of the message, as "spin_wait {}").
v1::WorkloadSpec Workers(uint32_t workers, absl::string_view work, absl::string_view more = "");

// A life of a pool, with the time that each call took: "spawn_ns", "start_ns", "last_start_ns", "release_ns",
// "start_skew_ns", "stop_ns" (until the last worker saw it), "collect_ns".
struct Life {
  v1::WorkloadSpec spec;
  // Between Start and StopAndCollect; for blockers long enough for all to have started.
  uint64_t run_ms = 50;
  std::string prefix;
};
absl::StatusOr<Values> Live(Client& client, const Life& life);

// Spawn, then Drop of the blocked workers: "spawn_ns" and "drop_ns".
absl::StatusOr<Values> SpawnAndDrop(Client& client, const v1::WorkloadSpec& spec, const std::string& prefix);

// Runs and collects, without samples.
struct TimedRun {
  v1::WorkloadSpec spec;
  uint64_t run_ms = 0;
};
absl::StatusOr<CollectedReports> RunFor(Client& client, const TimedRun& run);

// Waits until every worker has passed the gate, or for ten seconds.
absl::Status AwaitAllRunning(const WorkloadHandle& handle);

}  // namespace muster::bench

#endif  // MUSTER_TESTS_BENCH_WORKLOADS_H_
