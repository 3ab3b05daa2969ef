#include "worker/meter/meter.h"

#include <algorithm>
#include <cstring>

#include "worker/arena/histogram.h"
#include "worker/arena/text.h"
#include "worker/meter/current_cpu.h"

namespace muster {
namespace {

using arena::kCoreWords;

// Fractional part of the golden ratio: spreads neighbouring seeds over all bits.
constexpr uint64_t kGolden = 0x9E3779B97F4A7C15;
constexpr uint64_t kSpinStepsPerStopCheck = 1'024;
constexpr uint64_t kSpinStepsPerMark = 65'536;

inline void CpuRelax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// The worker is the only writer of what it publishes: a load and a store, without the lock prefix of an atomic
// addition.
void Add(std::atomic<uint64_t>* counter, uint64_t n) {
  counter->store(counter->load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

// A number below `bound`, from the high half of a 128-bit product: no division.
uint64_t Below(uint64_t random, uint64_t bound) {
  return static_cast<uint64_t>((static_cast<unsigned __int128>(random) * bound) >> 64);
}

// Out of line, so that short bursts do not pay for it.
__attribute__((noinline)) void SpinLong(Meter& meter, uint64_t n) {
  for (; n > kSpinStepsPerMark && !meter.stopping(); n -= kSpinStepsPerMark) {
    meter.SpinBurst(kSpinStepsPerMark);
    meter.MarkRunning(MonotonicNs());
  }
  // At a stop this ends after its first look.
  meter.SpinBurst(std::min(n, kSpinStepsPerMark));
}

uint64_t NonZero(uint64_t seed) { return seed == 0 ? kGolden : seed; }

}  // namespace

Meter::Meter(const MeterTarget& target)
    : stop_(&target.header->stop),
      live_(target.live),
      control_(target.control),
      bulk_(target.bulk),
      shape_(target.shape),
      random_(NonZero(target.seed * kGolden)),
      reservoir_random_(NonZero((target.seed + 1) * kGolden)),
      stopped_at_ns_(&target.header->stopped_at_ns) {
  for (uint32_t stream = 0; stream < arena::kStreams; ++stream) {
    next_samples_[stream] = shape_.sample_capacity > 0 ? bulk_.stores[stream].samples : &not_kept_;
  }
}

// One unit per step through an optimisation barrier, so that the compiler can neither fold nor vectorise the steps.
__attribute__((noinline)) void Meter::SpinBurst(uint64_t n) {
  if (n > kSpinStepsPerMark) [[unlikely]]
    return SpinLong(*this, n);
  uint64_t units = work_units_;
  const uint64_t end = units + n;
  while (units != end) {
    const uint64_t batch_end = units + std::min(end - units, kSpinStepsPerStopCheck);
    while (units != batch_end) {
      ++units;
      asm volatile("" : "+r"(units));
      CpuRelax();
    }
    if (stopping()) break;
  }
  work_units_ = units;
}

void Meter::Sample(arena::Stream stream, uint64_t ns) {
  const arena::Store& store = bulk_.stores[stream];
  if (store.head == nullptr) return;
  const uint64_t total = store.head->total.load(std::memory_order_relaxed) + 1;
  std::atomic<uint64_t>*& sample = next_samples_[stream];
  sample->store(ns, std::memory_order_relaxed);
  sample = NextSample(store, total);
  Add(&store.buckets[arena::BucketOf(ns)], 1);
  Add(&store.head->sum_ns, ns);
  if (total == 1 || ns < store.head->min_ns.load(std::memory_order_relaxed)) {
    store.head->min_ns.store(ns, std::memory_order_relaxed);
  }
  if (ns > store.head->max_ns.load(std::memory_order_relaxed)) store.head->max_ns.store(ns, std::memory_order_relaxed);
  // Release: whoever sees the total sees that many samples.
  store.head->total.store(total, std::memory_order_release);
}

// Sample number `total` + 1 of Algorithm R. A full store is larger than most second-level caches: the line comes while
// the worker works or blocks.
inline std::atomic<uint64_t>* Meter::NextSample(const arena::Store& store, uint64_t total) {
  const uint64_t capacity = shape_.sample_capacity;
  const uint64_t slot = total < capacity ? total : Below(NextRandom(&reservoir_random_), total + 1);
  if (slot >= capacity) return &not_kept_;
  __builtin_prefetch(&store.samples[slot], 1);
  return &store.samples[slot];
}

void Meter::SetNoopReason(absl::string_view reason) {
  if (control_->noop_reason.bytes[0] == 0) arena::SetText(&control_->noop_reason, reason);
}

void Meter::SetSetupError(arena::SetupStep step, absl::string_view text) {
  if (control_->setup_errors[step].bytes[0] == 0) arena::SetText(&control_->setup_errors[step], text);
}

void Meter::Begin(uint64_t now_ns, uint32_t cpu) {
  started_at_ns_ = now_ns;
  last_checkpoint_ns_ = now_ns;
  core_.last_cpu = cpu;
  UseCpu(cpu);
  Publish(now_ns);
}

void Meter::Checkpoint() {
  const uint64_t now_ns = MonotonicNs();
  CheckGap(now_ns);
  CheckCpu(now_ns);
  ++core_.checkpoints;
  Publish(now_ns);
}

void Meter::End(uint64_t now_ns) {
  CheckGap(now_ns);
  CheckCpu(now_ns);
  Publish(now_ns);
}

void Meter::EndCutWait(uint64_t began_ns, uint64_t due_ns) {
  const uint64_t stopped_ns = stopped_at_ns_->load(std::memory_order_relaxed);
  EndWait(began_ns, std::min(due_ns, stopped_ns != 0 ? stopped_ns : MonotonicNs()));
}

void Meter::RecordGap(uint64_t now_ns) {
  core_.max_gap_ns = now_ns - last_checkpoint_ns_;
  core_.max_gap_cpu = core_.last_cpu;
  core_.max_gap_at_ns = now_ns - started_at_ns_;
}

void Meter::CheckCpu(uint64_t now_ns) {
  const uint64_t cpu = CurrentCpu();
  if (cpu != core_.last_cpu) RecordMigration(now_ns, cpu);
}

void Meter::RecordMigration(uint64_t now_ns, uint64_t cpu) {
  const uint64_t stored = control_->migrations_stored.load(std::memory_order_relaxed);
  if (stored < shape_.migration_capacity) {
    bulk_.migrations[stored] = {now_ns - started_at_ns_, static_cast<uint32_t>(core_.last_cpu),
                                static_cast<uint32_t>(cpu)};
    // Release: an entry that is counted is complete, and never changes again.
    control_->migrations_stored.store(stored + 1, std::memory_order_release);
  }
  ++core_.migration_count;
  core_.last_cpu = cpu;
  UseCpu(cpu);
}

void Meter::UseCpu(uint64_t cpu) {
  if (cpu > arena::kMaxCpuId) return;
  std::atomic<uint64_t>& word = control_->cpus_used[cpu / 64];
  word.store(word.load(std::memory_order_relaxed) | uint64_t{1} << (cpu % 64), std::memory_order_relaxed);
}

void Meter::Publish(uint64_t now_ns) {
  core_.at_ns = now_ns;
  core_.iterations = iterations_;
  core_.work_units = work_units_;
  live_->iterations.store(iterations_, std::memory_order_relaxed);
  live_->work_units.store(work_units_, std::memory_order_relaxed);
  live_->checkpoint_at_ns.store(now_ns, std::memory_order_relaxed);
  live_->last_cpu.store(static_cast<int32_t>(core_.last_cpu), std::memory_order_relaxed);
  uint64_t words[kCoreWords];
  memcpy(words, &core_, sizeof(core_));
  uint64_t* const buffer = control_->cores[published_ % 2];
  // Release on each word: a reader that sees one of them (acquire) sees that the publication before this one is out,
  // and so that the buffer it copies is being written. Plain stores on x86, and understood by the thread sanitizer,
  // unlike fences.
  for (size_t i = 0; i < kCoreWords; ++i)
    std::atomic_ref<uint64_t>(buffer[i]).store(words[i], std::memory_order_release);
  control_->cores_published.store(++published_, std::memory_order_release);
}

}  // namespace muster
