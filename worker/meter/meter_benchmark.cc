// What measuring costs the work: run with bazel run //worker/meter:meter_benchmark.
#include <benchmark/benchmark.h>

#include "base/clock.h"
#include "worker/meter/current_cpu.h"
#include "worker/meter/meter.h"
#include "worker/meter/meter_fixture.h"

namespace muster {
namespace {

constexpr arena::WorkerShape kShape = {
    .stream_set = 1u << arena::kWake, .sample_capacity = arena::kMaxSamples, .migration_capacity = 256};

void BM_ClockReading(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(MonotonicNs());
}
BENCHMARK(BM_ClockReading);

void BM_CurrentCpu(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(CurrentCpu());
}
BENCHMARK(BM_CurrentCpu);

void BM_Checkpoint(benchmark::State& state) {
  MeterFixture fixture(kShape);
  Meter meter(fixture.target());
  meter.Begin(MonotonicNs(), CurrentCpu());
  for (auto _ : state) meter.Checkpoint();
}
BENCHMARK(BM_Checkpoint);

// An iteration that is no checkpoint: two counters and their stores.
void BM_EndIteration(benchmark::State& state) {
  MeterFixture fixture(kShape);
  Meter meter(fixture.target());
  meter.AddUnits(1);
  for (auto _ : state) meter.EndIteration();
}
BENCHMARK(BM_EndIteration);

// Reservoir and histogram; most samples come after the reservoir is full.
void BM_Sample(benchmark::State& state) {
  MeterFixture fixture(kShape);
  Meter meter(fixture.target());
  for (uint32_t i = 0; i < arena::kMaxSamples; ++i) meter.WakeSample(i);
  uint64_t ns = 1;
  for (auto _ : state) meter.WakeSample(ns = ns * 5 % 100'003);
}
BENCHMARK(BM_Sample);

// As a step takes it: clock, block, clock, sample, gap.
void BM_WakeSampleWithClocks(benchmark::State& state) {
  MeterFixture fixture(kShape);
  Meter meter(fixture.target());
  for (auto _ : state) {
    const uint64_t before_ns = MonotonicNs();
    const uint64_t after_ns = MonotonicNs();
    meter.WakeSample(after_ns - before_ns);
    meter.EndWait(before_ns, after_ns);
  }
}
BENCHMARK(BM_WakeSampleWithClocks);

// Per unit: the bare loop of the same shape, then the spin step with everything that the runner does after it.
void BM_BareSpin(benchmark::State& state) {
  uint64_t units = 0;
  for (auto _ : state) {
    for (uint64_t i = 0; i < arena::kCheckpointUnits; ++i) {
      ++units;
      asm volatile("" : "+r"(units));
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    }
  }
  state.SetItemsProcessed(static_cast<int64_t>(units));
}
BENCHMARK(BM_BareSpin);

void BM_SpinStep(benchmark::State& state) {
  MeterFixture fixture(kShape);
  Meter meter(fixture.target());
  meter.Begin(MonotonicNs(), CurrentCpu());
  for (auto _ : state) {
    meter.SpinBurst(arena::kCheckpointUnits);
    meter.EndIteration();
  }
  state.SetItemsProcessed(static_cast<int64_t>(meter.work_units()));
}
BENCHMARK(BM_SpinStep);

}  // namespace
}  // namespace muster

BENCHMARK_MAIN();
