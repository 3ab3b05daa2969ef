// What one worker writes: its control pages, and its part of the bulk region. See layout.h.
#ifndef MUSTER_WORKER_ARENA_RECORDS_H_
#define MUSTER_WORKER_ARENA_RECORDS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace muster::arena {

inline constexpr size_t kPageBytes = 4096;
inline constexpr size_t kLineBytes = 64;
inline constexpr uint32_t kMaxSamples = 100'000;
inline constexpr uint32_t kMaxMigrations = 4'096;
inline constexpr uint32_t kMaxCpuId = 4'095;
inline constexpr uint32_t kMaxNodeId = 63;
// Work units between two checkpoints.
inline constexpr uint64_t kCheckpointUnits = 1'024;

// Streams of samples, as bits of a set and as indexes.
enum Stream : uint32_t { kWake = 0, kCost = 1, kTimer = 2 };
inline constexpr uint32_t kStreams = 3;

// What a worker is doing, by its own word.
enum class State : uint32_t {
  kNone = 0,      // no setup yet
  kReady = 1,     // at the gate
  kRunning = 2,   // past the gate
  kFinished = 3,  // `final` is complete
  kPanicked = 4,  // an exception left the work; `final.text` says which
  // About to become a Custom program: a stop comes as its stop signal from here on. Stored before the worker's last
  // look at the stop word, both seq_cst, so that either the worker sees the stop, or the pool host sees this state.
  kExec = 5,
};

// Counters that readers poll: one line, stored by the worker after every iteration.
struct alignas(kLineBytes) Live {
  std::atomic<uint64_t> iterations;
  std::atomic<uint64_t> work_units;
  // Of the last checkpoint; last_cpu also of the last setup.
  std::atomic<uint64_t> checkpoint_at_ns;
  std::atomic<int32_t> last_cpu;
  std::atomic<State> state;
  // Setups that were completed; above the gate word's count when the worker waits at the gate.
  std::atomic<uint32_t> setups;
  // Non-zero: it has left its loop, and blocks in nothing that a signal should end.
  std::atomic<uint32_t> is_leaving;
};

// What a worker has measured, written at checkpoints into the two buffers in turn; all members are uint64_t.
struct Core {
  uint64_t at_ns;
  uint64_t iterations;
  uint64_t work_units;
  uint64_t checkpoints;
  uint64_t max_gap_ns;
  uint64_t max_gap_cpu;
  uint64_t max_gap_at_ns;  // since started_at_ns
  uint64_t migration_count;
  uint64_t last_cpu;
};
inline constexpr size_t kCoreWords = sizeof(Core) / sizeof(uint64_t);
static_assert(std::is_trivially_copyable_v<Core>);

// A fixed text; not necessarily terminated.
template <size_t N>
struct Text {
  char bytes[N];
};

// Why something failed, cut at the end.
using ErrorText = Text<128>;

// A cgroup's path as /proc/PID/cgroup shows it, cut at the end.
using CgroupText = Text<448>;

// Setup steps in the order in which they are applied.
enum SetupStep : uint32_t {
  kSetAffinity,
  kSetPolicy,
  kSetMemPolicy,
  kSetNice,
  kSetComm,
  kSetGid,
  kSetUid,
  kSetNode,
  kSetupSteps
};

// Written once, right after the gate (setup_errors: before it); complete when `evidence_ready` is 1.
struct Evidence {
  uint64_t first_instruction_at_ns;
  uint64_t started_at_ns;  // when the clocks were started
  uint32_t cpu;
  int32_t tid;
  uint32_t is_messenger;
  uint32_t reserved;
  uint64_t effective_cpus[(kMaxCpuId + 1) / 64];
  CgroupText cgroup;
  Text<48> policy;
  Text<48> mem_policy;
};

// Written once, after the loop; complete when state is kFinished or kPanicked.
struct Final {
  uint64_t stopped_at_ns;
  uint64_t cpu_time_ns;
  uint64_t wall_time_ns;
  // Bits of `measured` say which of the following groups are valid.
  uint64_t measured;
  uint64_t schedstat_cpu_ns;
  uint64_t schedstat_run_delay_ns;
  uint64_t schedstat_run_count;
  uint64_t voluntary_switches;
  uint64_t involuntary_switches;
  uint64_t vmstat_numa_pages_migrated;
  uint64_t numa_pages[kMaxNodeId + 1];
  uint32_t cpu;
  // 0: stopped before it was started.
  uint32_t completed;
  CgroupText cgroup;
  ErrorText telemetry_error;
  // Of kPanicked: what() of the exception.
  Text<256> panic;
};
enum Measured : uint64_t { kSchedstat = 1, kSwitches = 2, kVmstat = 4, kNumaPages = 8 };

// One worker's control pages. The live line's place within the first 2 KiB depends on the worker's index, so that a
// reader of thousands does not fight for the same cache sets.
inline constexpr size_t kLiveColours = 32;
struct Control {
  std::byte live_colours[kLiveColours * kLineBytes];
  // Buffers of Core; buffer (n - 1) % 2 is the newest when n have been published.
  std::atomic<uint64_t> cores_published;
  uint64_t cores[2][kCoreWords];
  // Bits are only ever set.
  std::atomic<uint64_t> cpus_used[(kMaxCpuId + 1) / 64];
  // The first migration_capacity of migration_count entries of the bulk region are valid.
  std::atomic<uint64_t> migrations_stored;
  std::atomic<uint32_t> evidence_ready;
  // Of Final, Evidence and the newest Core; set before state becomes kFinished or kPanicked.
  std::atomic<uint32_t> checksum;
  alignas(kPageBytes) Evidence evidence;
  Final final;
  ErrorText setup_errors[kSetupSteps];
  // Why the work type only marks time; empty otherwise.
  ErrorText noop_reason;
};
inline constexpr size_t kControlBytes = 2 * kPageBytes;
static_assert(sizeof(Control) <= kControlBytes);

// One migration, in the bulk region.
struct MigrationEntry {
  uint64_t at_ns;  // since started_at_ns
  uint32_t from_cpu;
  uint32_t to_cpu;
};

// Head of one stream's store in the bulk region; the samples (capacity words) and the buckets follow it.
struct alignas(kLineBytes) StoreHead {
  std::atomic<uint64_t> total;
  std::atomic<uint64_t> min_ns;
  std::atomic<uint64_t> max_ns;
  std::atomic<uint64_t> sum_ns;
};

static_assert(std::atomic<uint64_t>::is_always_lock_free && std::atomic<uint32_t>::is_always_lock_free);

}  // namespace muster::arena

#endif  // MUSTER_WORKER_ARENA_RECORDS_H_
