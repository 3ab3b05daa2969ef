// What goes in and out of a pool, as plain values.
#ifndef MUSTER_DAEMON_POOL_POOL_TYPES_H_
#define MUSTER_DAEMON_POOL_POOL_TYPES_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "muster/v1/report.pb.h"

namespace muster {

// The moves between them: pool_state.h.
enum class PoolState { kSpawning, kReady, kStarted, kStopping, kCollected, kDropped };

// Whose a pool is. The pool keeps it and does nothing with it.
struct PoolLabels {
  std::string lease_id;
  std::string owner;
  bool detached = false;
};

struct WorkerInfo {
  uint32_t worker_index = 0;
  uint32_t group_idx = 0;
  pid_t pid = -1;
  pid_t tid = -1;
  std::string cpus;  // as drawn for this worker; empty: inherited
};

enum class PlaceUnit { kDefault, kProcess, kThread };

// Either a cgroup or CPUs.
struct PlaceTarget {
  std::vector<uint32_t> workers;  // empty: all
  bool to_cpus = false;
  std::string cgroup;  // relative to the workload root
  std::string cpus;    // as "0-3"
  PlaceUnit unit = PlaceUnit::kDefault;
};

struct PlaceOutcome {
  uint32_t worker_index = 0;
  std::string error;  // empty: done, by reading back
  std::string cgroup;
  std::string effective_cpus;
};

struct StartResult {
  struct OfPool {
    std::string pool_id;
    uint64_t released_at_ns = 0;
    bool already_started = false;
  };
  std::vector<OfPool> pools;     // in the order asked for
  uint64_t release_call_ns = 0;  // what opening all gates took
};

// Values are those of muster.v1.WorkerState.
enum class WorkerState : int { kBlocked = 1, kRunning = 2, kFinished = 3, kDead = 4 };

// Columns in worker order.
struct PoolSnapshot {
  uint64_t taken_at_ns = 0;
  std::vector<uint64_t> iterations;
  std::vector<uint64_t> work_units;
  std::vector<WorkerState> states;
  std::vector<int32_t> last_cpus;  // -1 before the first checkpoint
  std::vector<uint64_t> ages_ns;   // 0 before the first checkpoint
  // All workers have ended: no later snapshot will differ in its counters.
  bool final = false;
};

struct PoolInfo {
  std::string pool_id;
  PoolState state = PoolState::kSpawning;
  PoolLabels labels;
  uint32_t workers = 0;
  uint32_t dead_workers = 0;
  absl::Duration age;
  std::vector<v1::GroupSummary> groups;
  pid_t host_pid = -1;
};

// Each the bytes of a packed fixed64 field, empty when there is nothing to add.
struct SamplesInPlace {
  absl::string_view wake_latencies_ns;
  absl::string_view iteration_costs_ns;
  absl::string_view timer_latencies_ns;
  // They are valid while it lives.
  std::shared_ptr<const void> keeper;
};

struct CollectOptions {
  uint32_t from_worker = 0;
  bool without_samples = false;
};

// Takes a collection. Called by the collecting thread, no lock held; may block.
class ReportSink {
 public:
  virtual ~ReportSink() = default;
  // In worker order. `report` may be moved from. False: stop, nobody wants more.
  virtual bool OnReport(v1::WorkerReport& report) = 0;
  // The last call.
  virtual void OnSummary(const v1::PoolSummary& summary) = 0;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_POOL_POOL_TYPES_H_
