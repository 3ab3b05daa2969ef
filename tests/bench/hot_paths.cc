// What runs in a worker's loop and when reports are sent, a given number of times: hot_paths NAME TIMES. For
// instruction_bounds_test, which counts instructions of two numbers of times and takes the difference.
#include <stdio.h>
#include <stdlib.h>

#include <string>

#include "base/clock.h"
#include "worker/arena/arena_fixture.h"
#include "worker/arena/fill_report.h"
#include "worker/arena/histogram.h"
#include "worker/meter/current_cpu.h"
#include "worker/meter/meter.h"
#include "worker/meter/meter_fixture.h"

namespace muster {
namespace {

constexpr arena::WorkerShape kShape = {
    .stream_set = 1u << arena::kWake, .sample_capacity = 1'000, .migration_capacity = 16};

// A spin step of 16 units: the 64th reaches a checkpoint.
void Step(uint64_t times) {
  MeterFixture fixture(kShape);
  Meter meter(fixture.target());
  meter.Begin(MonotonicNs(), CurrentCpu());
  for (uint64_t i = 0; i < times; ++i) {
    meter.SpinBurst(16);
    meter.EndIteration();
  }
}

void Checkpoint(uint64_t times) {
  MeterFixture fixture(kShape);
  Meter meter(fixture.target());
  meter.Begin(MonotonicNs(), CurrentCpu());
  for (uint64_t i = 0; i < times; ++i) meter.Checkpoint();
}

// Samples after the reservoir is full, which is what a long run takes.
void Reservoir(uint64_t times) {
  MeterFixture fixture(kShape);
  Meter meter(fixture.target());
  for (uint32_t i = 0; i < 2 * kShape.sample_capacity; ++i) meter.WakeSample(i);
  for (uint64_t i = 0; i < times; ++i) meter.WakeSample(i * 7 % 100'003);
}

void Histogram(uint64_t times) {
  static std::atomic<uint64_t> buckets[arena::kHistogramBuckets];
  for (uint64_t i = 0; i < times; ++i) {
    std::atomic<uint64_t>& bucket = buckets[arena::BucketOf(i * 7'919 % 1'000'003)];
    bucket.store(bucket.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
}

// A worker's whole report with 1,000 samples, from the arena to the bytes that go out.
void Report(uint64_t times) {
  const arena::ArenaFixture fixture({kShape});
  Meter meter(fixture.Target());
  meter.Begin(1'000, 0);
  for (uint64_t i = 0; i < kShape.sample_capacity; ++i) meter.WakeSample(i * 7 % 100'003);
  meter.AddUnits(arena::kCheckpointUnits);
  meter.EndIteration();
  fixture.Finish(0, arena::Final{.wall_time_ns = 1, .completed = 1});
  v1::WorkerReport report;
  std::string bytes;
  for (uint64_t i = 0; i < times; ++i) {
    arena::FillReport(fixture.daemon(), 0, {}, &report);
    if (!report.SerializeToString(&bytes) || report.exit_info().cause_case() != v1::ExitInfo::CAUSE_NOT_SET) abort();
  }
}

struct Path {
  const char* name;
  void (*run)(uint64_t times);
};
constexpr Path kPaths[] = {
    {"step", Step}, {"checkpoint", Checkpoint}, {"reservoir", Reservoir}, {"histogram", Histogram}, {"report", Report}};

int Main(const std::string& name, uint64_t times) {
  for (const Path& path : kPaths) {
    if (name != path.name) continue;
    path.run(times);
    return 0;
  }
  fprintf(stderr, "hot_paths: no path %s\n", name.c_str());
  return 64;
}

}  // namespace
}  // namespace muster

int main(int argc, char** argv) { return argc == 3 ? muster::Main(argv[1], strtoull(argv[2], nullptr, 10)) : 64; }
