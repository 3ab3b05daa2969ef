#include "worker/meter/meter.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/cpu_set.h"
#include "gtest/gtest.h"
#include "worker/arena/histogram.h"
#include "worker/arena/text.h"
#include "worker/meter/current_cpu.h"
#include "worker/meter/meter_fixture.h"

namespace muster {
namespace {

using arena::kMaxSamples;
using arena::kTimer;
using arena::kWake;

arena::WorkerShape Shape(uint32_t samples, uint32_t migrations = 0) {
  return {.group_idx = 0, .stream_set = 1u << kWake, .sample_capacity = samples, .migration_capacity = migrations};
}

// ---- Reservoir ----

TEST(ReservoirTest, TheCapIsOneHundredThousand) { EXPECT_EQ(kMaxSamples, 100'000u); }

TEST(ReservoirTest, BelowTheCapEverySampleIsKeptInOrder) {
  MeterFixture fixture(Shape(5));
  Meter meter(fixture.target());
  for (uint64_t ns = 10; ns < 14; ++ns) meter.WakeSample(ns);
  EXPECT_EQ(fixture.Samples(kWake), (std::vector<uint64_t>{10, 11, 12, 13}));
  EXPECT_EQ(fixture.store(kWake).head->total.load(), 4u);
}

TEST(ReservoirTest, TheTotalCountsOnBeyondTheCap) {
  for (const uint32_t cap : {0u, 1u, 7u, kMaxSamples}) {
    MeterFixture fixture(Shape(cap));
    Meter meter(fixture.target());
    for (uint64_t i = 0; i < kMaxSamples + 5; ++i) meter.WakeSample(i);
    EXPECT_EQ(fixture.store(kWake).head->total.load(), kMaxSamples + 5u) << "cap " << cap;
    EXPECT_EQ(fixture.Samples(kWake).size(), cap);
  }
}

TEST(ReservoirTest, WithoutRoomNothingIsKeptButTheHistogramCounts) {
  MeterFixture fixture(Shape(0));
  Meter meter(fixture.target());
  meter.WakeSample(5);
  meter.WakeSample(5);
  EXPECT_EQ(fixture.store(kWake).buckets[arena::BucketOf(5)].load(), 2u);
}

// Offers 0..n-1 many times; each must be kept equally often. Chi-squared over 20 ranges of the offered numbers: 19
// degrees of freedom, 43.8 at p = 0.001.
TEST(ReservoirTest, EverySampleIsKeptWithTheSameProbability) {
  constexpr uint64_t kOffered = 1'000;
  constexpr uint32_t kCap = 50;
  constexpr int kRounds = 2'000;
  constexpr int kRanges = 20;
  std::vector<double> kept(kRanges, 0);
  for (int round = 0; round < kRounds; ++round) {
    MeterFixture fixture(Shape(kCap), 1 + round);
    Meter meter(fixture.target());
    for (uint64_t i = 0; i < kOffered; ++i) meter.WakeSample(i);
    for (const uint64_t sample : fixture.Samples(kWake)) ++kept[sample * kRanges / kOffered];
  }
  const double expected = static_cast<double>(kCap) * kRounds / kRanges;
  double chi_squared = 0;
  for (const double count : kept) chi_squared += (count - expected) * (count - expected) / expected;
  EXPECT_LT(chi_squared, 43.8);
}

TEST(ReservoirTest, EverySlotIsReplacedEquallyOften) {
  constexpr uint32_t kCap = 20;
  constexpr int kRounds = 2'000;
  std::vector<double> replaced(kCap, 0);
  for (int round = 0; round < kRounds; ++round) {
    MeterFixture fixture(Shape(kCap), 7 + round);
    Meter meter(fixture.target());
    for (uint64_t i = 0; i < 2 * kCap; ++i) meter.WakeSample(i);
    const std::vector<uint64_t> samples = fixture.Samples(kWake);
    for (uint32_t slot = 0; slot < kCap; ++slot) replaced[slot] += samples[slot] != slot;
  }
  const double mean = std::accumulate(replaced.begin(), replaced.end(), 0.0) / kCap;
  for (const double count : replaced) EXPECT_NEAR(count, mean, 5 * std::sqrt(mean));
}

TEST(ReservoirTest, UndeclaredStreamsAreIgnored) {
  MeterFixture fixture(Shape(4));
  Meter meter(fixture.target());
  meter.TimerSample(1);
  meter.CostSample(1);
  EXPECT_EQ(fixture.store(kTimer).head, nullptr);
  EXPECT_EQ(fixture.store(kWake).head->total.load(), 0u);
}

TEST(ReservoirTest, TheHeadHasMinimumMaximumAndSum) {
  MeterFixture fixture(Shape(1));
  Meter meter(fixture.target());
  for (const uint64_t ns : {30, 10, 20}) meter.WakeSample(ns);
  EXPECT_EQ(fixture.store(kWake).head->min_ns.load(), 10u);
  EXPECT_EQ(fixture.store(kWake).head->max_ns.load(), 30u);
  EXPECT_EQ(fixture.store(kWake).head->sum_ns.load(), 60u);
}

TEST(ReservoirTest, AnySampleStaysWithinItsHistogram) {
  MeterFixture fixture(Shape(16));
  Meter meter(fixture.target());
  constexpr int kSamples = 100'000;
  for (int i = 0; i < kSamples; ++i) meter.WakeSample(meter.Random() >> (i % 64));
  meter.WakeSample(UINT64_MAX);
  uint64_t counted = 0;
  for (uint32_t i = 0; i < arena::kHistogramBuckets; ++i) counted += fixture.store(kWake).buckets[i].load();
  EXPECT_EQ(counted, kSamples + 1u);
}

// ---- Random numbers ----

std::vector<uint64_t> Draw(uint64_t seed, int count) {
  MeterFixture fixture(Shape(1), seed);
  Meter meter(fixture.target());
  std::vector<uint64_t> drawn(count);
  std::generate(drawn.begin(), drawn.end(), [&] { return meter.Random(); });
  return drawn;
}

TEST(RandomTest, TheSeedDecidesTheSequence) {
  EXPECT_EQ(Draw(42, 100), Draw(42, 100));
  EXPECT_NE(Draw(42, 100), Draw(43, 100));
}

TEST(RandomTest, NoSeedIsStuckAtZero) {
  for (const uint64_t seed : {uint64_t{0}, uint64_t{1}, UINT64_MAX}) {
    const std::vector<uint64_t> drawn = Draw(seed, 1'000);
    EXPECT_EQ(std::set<uint64_t>(drawn.begin(), drawn.end()).size(), 1'000u) << "seed " << seed;
  }
}

TEST(RandomTest, SamplesDoNotDisturbAStepsDraws) {
  MeterFixture fixture(Shape(1), 42);
  Meter meter(fixture.target());
  for (int i = 0; i < 100; ++i) meter.WakeSample(i);
  EXPECT_EQ(meter.Random(), Draw(42, 1)[0]);
}

// ---- Counting and checkpoints ----

TEST(CheckpointTest, ComesEach1024OverGcdIterations) {
  for (const uint64_t units : {1ull, 16ull, 256ull, 320ull, 512ull, 1023ull, 1024ull, 1280ull, 4096ull}) {
    MeterFixture fixture(Shape(0));
    Meter meter(fixture.target());
    meter.Begin(MonotonicNs(), CurrentCpu());
    const uint64_t period = 1024 / std::gcd(units, uint64_t{1024});
    for (uint64_t i = 1; i <= 3 * period; ++i) {
      meter.AddUnits(units);
      meter.EndIteration();
      ASSERT_EQ(fixture.core().checkpoints, i / period) << units << " units, iteration " << i;
    }
  }
}

TEST(CheckpointTest, ComesAtEveryIterationWithoutUnits) {
  MeterFixture fixture(Shape(0));
  Meter meter(fixture.target());
  for (int i = 0; i < 5; ++i) meter.EndIteration();
  EXPECT_EQ(fixture.core().checkpoints, 5u);
  EXPECT_EQ(fixture.core().iterations, 5u);
}

TEST(CheckpointTest, LiveCountersFollowEveryIteration) {
  MeterFixture fixture(Shape(0));
  Meter meter(fixture.target());
  meter.AddUnits(3);
  meter.EndIteration();
  EXPECT_EQ(fixture.live().iterations.load(), 1u);
  EXPECT_EQ(fixture.live().work_units.load(), 3u);
  EXPECT_EQ(fixture.core().iterations, 0u) << "no checkpoint yet";
}

TEST(CheckpointTest, TheLongestGapIsKeptWithItsTimeAndCpu) {
  MeterFixture fixture(Shape(0));
  Meter meter(fixture.target());
  const uint64_t start = MonotonicNs();
  meter.Begin(start - 9'000'000'000, CurrentCpu());
  meter.Checkpoint();
  meter.Checkpoint();
  EXPECT_GE(fixture.core().max_gap_ns, 9'000'000'000u);
  EXPECT_LE(fixture.core().max_gap_at_ns, 9'000'000'000 + MonotonicNs() - start);
  EXPECT_EQ(fixture.core().max_gap_ns, fixture.core().max_gap_at_ns) << "it was the first";
}

constexpr uint64_t kSecondNs = 1'000'000'000;

TEST(GapTest, AWaitThatTheStepWantsIsNone) {
  MeterFixture fixture(Shape(0));
  Meter meter(fixture.target());
  meter.Begin(10 * kSecondNs, CurrentCpu());
  meter.EndWait(11 * kSecondNs, 20 * kSecondNs);
  meter.End(22 * kSecondNs);
  EXPECT_EQ(fixture.core().max_gap_ns, 2 * kSecondNs);
}

TEST(GapTest, WhatWasBeforeAWaitIsOne) {
  MeterFixture fixture(Shape(0));
  Meter meter(fixture.target());
  const uint64_t now = MonotonicNs();
  meter.Begin(now - 9 * kSecondNs, CurrentCpu());
  meter.EndWait(now - kSecondNs, now);
  meter.Checkpoint();
  EXPECT_EQ(fixture.core().max_gap_ns, 8 * kSecondNs);
  EXPECT_EQ(fixture.core().max_gap_at_ns, 8 * kSecondNs);
}

TEST(GapTest, AWaitThatEndedBeforeTheLastLookGivesNoTimeBack) {
  MeterFixture fixture(Shape(0));
  Meter meter(fixture.target());
  meter.Begin(10 * kSecondNs, CurrentCpu());
  meter.MarkRunning(12 * kSecondNs);
  meter.EndWait(11 * kSecondNs, 11 * kSecondNs);
  meter.End(13 * kSecondNs);
  EXPECT_EQ(fixture.core().max_gap_ns, 2 * kSecondNs);
}

TEST(GapTest, AWaitThatTheStopCutsEndsAtTheStopOrWhenItWasDue) {
  for (const auto& [due_s, gap_s] : std::vector<std::pair<uint64_t, uint64_t>>{{UINT64_MAX, 3}, {60, 3}, {15, 8}}) {
    MeterFixture fixture(Shape(0));
    Meter meter(fixture.target());
    meter.Begin(10 * kSecondNs, CurrentCpu());
    fixture.Stop(20 * kSecondNs);
    meter.EndCutWait(11 * kSecondNs, due_s == UINT64_MAX ? UINT64_MAX : due_s * kSecondNs);
    meter.End(23 * kSecondNs);
    EXPECT_EQ(fixture.core().max_gap_ns, gap_s * kSecondNs) << "due at " << due_s;
  }
}

TEST(GapTest, AWaitThatFailsEndsNow) {
  MeterFixture fixture(Shape(0));
  Meter meter(fixture.target());
  const uint64_t now = MonotonicNs();
  meter.Begin(now - 1'000 * kSecondNs, CurrentCpu());
  meter.EndCutWait(now - 999 * kSecondNs);
  meter.End(MonotonicNs());
  EXPECT_LT(fixture.core().max_gap_ns, 900 * kSecondNs);
}

TEST(GapTest, ALongSpinIsNoneAndStarvationInItIsOne) {
  MeterFixture fixture(Shape(0));
  Meter meter(fixture.target());
  const uint64_t now = MonotonicNs();
  meter.Begin(now - 1'000 * kSecondNs, CurrentCpu());
  meter.SpinBurst(2 * 65'536);
  meter.EndWait(MonotonicNs() + 1'000 * kSecondNs, MonotonicNs() + 1'000 * kSecondNs);
  meter.End(MonotonicNs());
  EXPECT_GE(fixture.core().max_gap_ns, 1'000 * kSecondNs);
  EXPECT_LT(fixture.core().max_gap_ns, 1'999 * kSecondNs) << "the spin in between has marked the worker as running";
}

TEST(CheckpointTest, TheEndClosesTheLastGapAndIsNoCheckpoint) {
  MeterFixture fixture(Shape(0));
  Meter meter(fixture.target());
  const uint64_t now = MonotonicNs();
  meter.Begin(now, CurrentCpu());
  meter.End(now + 5'000'000'000);
  EXPECT_EQ(fixture.core().max_gap_ns, 5'000'000'000u);
  EXPECT_EQ(fixture.core().checkpoints, 0u);
}

TEST(CheckpointTest, TheTwoBuffersAreWrittenInTurn) {
  MeterFixture fixture(Shape(0));
  Meter meter(fixture.target());
  for (uint64_t n = 1; n <= 5; ++n) {
    meter.EndIteration();
    EXPECT_EQ(fixture.control().cores_published.load(), n);
    EXPECT_EQ(fixture.core().iterations, n);
  }
  arena::Core older;
  memcpy(&older, fixture.control().cores[1], sizeof(older));
  EXPECT_EQ(older.iterations, 4u);
}

// A start on a CPU that the worker is not on makes the next checkpoint see a migration, whatever CPU it is on.
TEST(CheckpointTest, AMigrationIsStoredCountedAndItsCpuIsUsed) {
  MeterFixture fixture(Shape(0, 4));
  Meter meter(fixture.target());
  constexpr uint32_t kElsewhere = 4'000;
  meter.Begin(MonotonicNs() - 1'000, kElsewhere);
  meter.Checkpoint();
  ASSERT_GE(fixture.control().migrations_stored.load(), 1u);
  const arena::MigrationEntry& first = fixture.migrations()[0];
  EXPECT_EQ(first.from_cpu, kElsewhere);
  EXPECT_LT(first.to_cpu, CPU_SETSIZE);
  EXPECT_GE(first.at_ns, 1'000u);
  EXPECT_EQ(fixture.core().migration_count, 1u);
  EXPECT_NE(fixture.control().cpus_used[kElsewhere / 64].load(), 0u);
  EXPECT_NE(fixture.control().cpus_used[first.to_cpu / 64].load() & uint64_t{1} << first.to_cpu % 64, 0u);
}

TEST(CheckpointTest, MigrationsBeyondTheCapAreOnlyCounted) {
  MeterFixture fixture(Shape(0, 2));
  for (int i = 0; i < 5; ++i) {
    Meter meter(fixture.target());
    meter.Begin(MonotonicNs(), 4'000);
    meter.Checkpoint();
    EXPECT_EQ(fixture.core().migration_count, 1u);
  }
  EXPECT_EQ(fixture.control().migrations_stored.load(), 2u);
}

TEST(CheckpointTest, ACpuIdBeyondTheSetIsNotMarked) {
  MeterFixture fixture(Shape(0));
  Meter meter(fixture.target());
  meter.Begin(MonotonicNs(), UINT32_MAX);
  for (const auto& word : fixture.control().cpus_used) EXPECT_EQ(word.load(), 0u);
}

TEST(CurrentCpuTest, IsACpuOfTheAffinityMask) {
  const auto allowed = GetAffinity(0);
  ASSERT_TRUE(allowed.ok()) << allowed.status();
  EXPECT_TRUE(allowed->Contains(CurrentCpu()));
}

TEST(CurrentCpuTest, FollowsTheThread) {
  const auto allowed = GetAffinity(0);
  ASSERT_TRUE(allowed.ok()) << allowed.status();
  for (const uint32_t cpu : allowed->Ids()) {
    CpuSet one;
    one.Add(cpu);
    ASSERT_TRUE(SetAffinity(0, one).ok());
    EXPECT_EQ(CurrentCpu(), cpu);
  }
  ASSERT_TRUE(SetAffinity(0, *allowed).ok());
}

// ---- Spinning and texts ----

TEST(SpinBurstTest, CountsExactlyItsSteps) {
  MeterFixture fixture(Shape(0));
  Meter meter(fixture.target());
  for (const uint64_t steps : {0, 1, 1'023, 1'024, 1'025, 5'000}) {
    const uint64_t before = meter.work_units();
    meter.SpinBurst(steps);
    EXPECT_EQ(meter.work_units() - before, steps);
  }
}

TEST(SpinBurstTest, EndsEarlyAtAStop) {
  MeterFixture fixture(Shape(0));
  Meter meter(fixture.target());
  fixture.Stop();
  EXPECT_TRUE(meter.stopping());
  meter.SpinBurst(UINT64_MAX / 2);
  EXPECT_EQ(meter.work_units(), 1'024u);
}

TEST(MeterTextTest, TheFirstReasonAndTheFirstErrorStay) {
  MeterFixture fixture(Shape(0));
  Meter meter(fixture.target());
  meter.SetNoopReason("no NIC");
  meter.SetNoopReason("later");
  meter.SetSetupError(arena::kSetPolicy, std::string(200, 'x'));
  meter.SetSetupError(arena::kSetPolicy, "later");
  EXPECT_EQ(arena::TextView(fixture.control().noop_reason), "no NIC");
  EXPECT_EQ(arena::TextView(fixture.control().setup_errors[arena::kSetPolicy]),
            std::string(sizeof(arena::ErrorText), 'x'));
  EXPECT_EQ(arena::TextView(fixture.control().setup_errors[arena::kSetNice]), "");
}

}  // namespace
}  // namespace muster
