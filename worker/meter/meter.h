// A worker's own view of its telemetry: what steps count and sample, and what the runner checkpoints, straight into the
// arena, so that a worker that dies leaves it there.
#ifndef MUSTER_WORKER_METER_METER_H_
#define MUSTER_WORKER_METER_METER_H_

#include <atomic>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "base/clock.h"
#include "worker/arena/arena.h"

namespace muster {

// Where one worker writes. All pointers are into its own mappings and outlive the meter.
struct MeterTarget {
  const arena::Header* header = nullptr;
  arena::Control* control = nullptr;
  arena::Live* live = nullptr;
  arena::Bulk bulk;
  arena::WorkerShape shape;
  uint64_t seed = 1;  // not 0
};

// Owned and used by one worker thread only.
class Meter {
 public:
  explicit Meter(const MeterTarget& target);
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;

  // --- for steps ---

  // True once the pool has been asked to stop. One relaxed load.
  bool stopping() const { return stop_->load(std::memory_order_relaxed) != 0; }
  // To wait for: a futex word that is 0 until then, and woken.
  const std::atomic<uint32_t>& stop_word() const { return *stop_; }

  void AddUnits(uint64_t units) { work_units_ += units; }

  // n spin steps, each one unit and a CPU relax hint; not inlined into its callers. Looks at the stop word every 1,024
  // steps and ends early at a stop; units count the steps that were made. Marks the worker as running every 65,536
  // steps.
  void SpinBurst(uint64_t n);

  // Offers a sample to a stream: a reservoir (Algorithm R) and a histogram. A stream that the type did not declare is
  // ignored.
  void WakeSample(uint64_t ns) { Sample(arena::kWake, ns); }
  void CostSample(uint64_t ns) { Sample(arena::kCost, ns); }
  void TimerSample(uint64_t ns) { Sample(arena::kTimer, ns); }

  // A wait that the step itself wanted is no gap. What was before it is looked at, and what comes behind it counts from
  // ended_ns: of a timed sleep the instant that it was due, so that a late wake-up counts; of other waits the wake-up.
  void EndWait(uint64_t began_ns, uint64_t ended_ns) {
    CheckGap(began_ns);
    if (ended_ns > last_checkpoint_ns_) last_checkpoint_ns_ = ended_ns;
  }
  // The same for a wait that did not come to its end: it lasted until the stop, at most until due_ns.
  void EndCutWait(uint64_t began_ns, uint64_t due_ns = UINT64_MAX);
  // The worker runs: for steps that read the clock anyway, so that a long iteration is no gap, and starvation in it is
  // one.
  void MarkRunning(uint64_t now_ns) { CheckGap(now_ns); }

  // The next number of the worker's generator: xorshift64, seeded per worker, and not shared with the reservoirs, so
  // that a step's draws depend on the seed only.
  uint64_t Random() { return NextRandom(&random_); }

  // Why the work type only marks time here; the first reason stays.
  void SetNoopReason(absl::string_view reason);
  // A setup step that failed, also one that a work type takes itself (its scheduling class). The first text stays.
  void SetSetupError(arena::SetupStep step, absl::string_view text);

  // --- for the runner ---

  // Starts the loop's clock on CPU `cpu`, and publishes the first record.
  void Begin(uint64_t now_ns, uint32_t cpu);
  // Counts an iteration, publishes, and checkpoints when work units are a multiple of arena::kCheckpointUnits.
  void EndIteration() {
    ++iterations_;
    live_->iterations.store(iterations_, std::memory_order_relaxed);
    live_->work_units.store(work_units_, std::memory_order_relaxed);
    if (work_units_ % arena::kCheckpointUnits == 0) Checkpoint();
  }
  // Gap, migration, CPU; publishes the record.
  void Checkpoint();
  // Ends the loop's clock: the time since the last checkpoint is a gap like any other, so that a worker that starved
  // until the end says so. Publishes the record. Not counted as a checkpoint.
  void End(uint64_t now_ns);
  // Publishes the record without any check; writes it into the older of the two buffers.
  void Publish(uint64_t now_ns);

  uint64_t iterations() const { return iterations_; }
  uint64_t work_units() const { return work_units_; }
  uint64_t started_at_ns() const { return started_at_ns_; }

 private:
  // xorshift64 with the shifts 13, 7, 17; the state is never 0.
  static uint64_t NextRandom(uint64_t* state) {
    uint64_t x = *state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return *state = x;
  }

  void Sample(arena::Stream stream, uint64_t ns);
  std::atomic<uint64_t>* NextSample(const arena::Store& store, uint64_t total);
  // An instant before the last one is none.
  void CheckGap(uint64_t now_ns) {
    if (now_ns <= last_checkpoint_ns_) return;
    if (now_ns - last_checkpoint_ns_ > core_.max_gap_ns) RecordGap(now_ns);
    last_checkpoint_ns_ = now_ns;
  }
  void RecordGap(uint64_t now_ns);
  void CheckCpu(uint64_t now_ns);
  void RecordMigration(uint64_t now_ns, uint64_t cpu);
  void UseCpu(uint64_t cpu);

  const std::atomic<uint32_t>* const stop_;
  arena::Live* const live_;
  arena::Control* const control_;
  arena::Bulk bulk_;
  const arena::WorkerShape shape_;
  uint64_t random_;
  uint64_t reservoir_random_;
  // By stream: where its next sample goes. Drawn with the sample before.
  std::atomic<uint64_t>* next_samples_[arena::kStreams];
  std::atomic<uint64_t> not_kept_{0};
  uint64_t iterations_ = 0;
  uint64_t work_units_ = 0;
  uint64_t started_at_ns_ = 0;
  uint64_t last_checkpoint_ns_ = 0;
  uint64_t published_ = 0;
  arena::Core core_ = {};
  const std::atomic<uint64_t>* const stopped_at_ns_;
};

}  // namespace muster

#endif  // MUSTER_WORKER_METER_METER_H_
