// A worker may write anything to the memory that it may write: reports of it stay bounded, valid messages.
#include <cstring>
#include <random>
#include <string>

#include "gtest/gtest.h"
#include "worker/arena/arena_fixture.h"
#include "worker/arena/fill_report.h"

namespace muster::arena {
namespace {

using v1::WorkerReport;

constexpr WorkerShape kShape = {.stream_set = 7, .sample_capacity = 64, .migration_capacity = 16};
// All streams and the last record, each full: nothing a worker writes makes more of it.
constexpr size_t kMostBytes = 250'000;

class HostileRecordTest : public testing::Test {
 protected:
  void FillWithNoise() {
    Fill(&fixture_.control(1), kControlBytes);
    Fill(fixture_.arena().bulk(1), fixture_.arena().host(1).bulk_bytes);
  }
  void Fill(void* data, size_t bytes) {
    for (size_t i = 0; i < bytes; ++i) static_cast<unsigned char*>(data)[i] = static_cast<unsigned char>(random_());
  }
  void ExpectSound(const ReportOptions& options) {
    WorkerReport report;
    FillReport(fixture_.daemon(), 1, options, &report);
    EXPECT_EQ(report.worker_index(), 1u);
    EXPECT_LE(report.wake_latencies_ns_size(), 64);
    EXPECT_LE(report.migrations_size(), 16);
    std::string wire;
    ASSERT_TRUE(report.SerializeToString(&wire));
    EXPECT_LT(wire.size(), kMostBytes);
    // Refuses texts that are not UTF-8.
    WorkerReport back;
    EXPECT_TRUE(back.ParseFromString(wire));
  }

  const ArenaFixture fixture_{{kShape, kShape, kShape}};
  std::minstd_rand random_{4711};
};

TEST_F(HostileRecordTest, NoiseIsASentinelOfBoundedSize) {
  for (int round = 0; round < 40; ++round) {
    FillWithNoise();
    for (const State state :
         {State::kRunning, State::kFinished, State::kPanicked, State::kExec, static_cast<State>(999)}) {
      fixture_.arena().live(1).state = state;
      ExpectSound({});
      ExpectSound({.now_ns = 1, .work = ReportOptions::Work::kFunction});
      ExpectSound({.work = ReportOptions::Work::kProgram, .stop_signal = 15});
    }
  }
}

TEST_F(HostileRecordTest, AForgedChecksumOverNoiseIsStillAValidMessage) {
  for (int round = 0; round < 40; ++round) {
    FillWithNoise();
    Final noise;
    Fill(&noise, sizeof(noise));
    fixture_.Finish(1, noise, round % 2 == 0);
    ExpectSound({});
  }
}

TEST_F(HostileRecordTest, AbsurdCountsAreCutToTheCapacities) {
  for (const uint64_t count : {uint64_t{65}, uint64_t{1} << 32, UINT64_MAX}) {
    fixture_.control(1).cores_published = count;
    fixture_.control(1).migrations_stored = count;
    const Bulk bulk = TakeApart(fixture_.arena().bulk(1), kShape);
    for (const Store& store : bulk.stores) store.head->total = count;
    fixture_.Finish(1, {.completed = 1});
    WorkerReport report;
    FillReport(fixture_.daemon(), 1, {}, &report);
    EXPECT_EQ(report.wake_latencies_ns_size(), 64);
    EXPECT_EQ(report.timer_latencies_ns_size(), 64);
    EXPECT_EQ(report.migrations_size(), 16);
    EXPECT_EQ(report.wake_sample_total(), count);
  }
}

TEST_F(HostileRecordTest, ItsNeighboursAreNotTouched) {
  fixture_.Finish(0, {.cpu_time_ns = 5, .completed = 1});
  FillWithNoise();
  WorkerReport report;
  FillReport(fixture_.daemon(), 0, {}, &report);
  EXPECT_TRUE(report.completed());
  EXPECT_EQ(report.cpu_time_ns(), 5u);
}

}  // namespace
}  // namespace muster::arena
