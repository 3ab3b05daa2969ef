#include "daemon/service/watch_reading.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "daemon/service/encoding.h"
#include "daemon/service/watch_ledger.h"

namespace muster {
namespace {

constexpr size_t kWorkers = 50;

// Totals that are not below those of `before`.
PoolSnapshot RandomSnapshot(std::mt19937_64* random, const PoolSnapshot& before) {
  PoolSnapshot snapshot;
  snapshot.taken_at_ns = before.taken_at_ns + 1;
  for (size_t worker = 0; worker < kWorkers; ++worker) {
    const uint64_t done = (*random)() >> (1 + (*random)() % 63);
    snapshot.iterations.push_back((before.iterations.empty() ? 0 : before.iterations[worker]) + done / 2);
    snapshot.work_units.push_back((before.work_units.empty() ? 0 : before.work_units[worker]) + done / 3);
    snapshot.states.push_back(static_cast<WorkerState>(1 + (*random)() % 4));
    snapshot.last_cpus.push_back(static_cast<int32_t>((*random)() % 5'000) - 1);
    snapshot.ages_ns.push_back((*random)());
  }
  snapshot.final = (*random)() % 2 == 0;
  return snapshot;
}

std::shared_ptr<const WatchReading> RandomReading(std::mt19937_64* random, const PoolSnapshot& before = {}) {
  return std::make_shared<const WatchReading>(RandomSnapshot(random, before));
}

v1::WatchUpdate MustDecode(const grpc::ByteBuffer& bytes) {
  v1::WatchUpdate update;
  EXPECT_EQ(Decode(bytes, &update), absl::OkStatus());
  return update;
}

void ExpectTells(const v1::WatchUpdate& update, const PoolSnapshot& now, const PoolSnapshot* before) {
  EXPECT_EQ(update.taken_at_ns(), now.taken_at_ns);
  EXPECT_EQ(update.final(), now.final);
  ASSERT_EQ(update.iterations_delta_size(), static_cast<int>(kWorkers));
  for (size_t worker = 0; worker < kWorkers; ++worker) {
    const int i = static_cast<int>(worker);
    EXPECT_EQ(update.iterations_delta(i),
              now.iterations[worker] - (before == nullptr ? 0 : before->iterations[worker]));
    EXPECT_EQ(update.work_units_delta(i),
              now.work_units[worker] - (before == nullptr ? 0 : before->work_units[worker]));
    EXPECT_EQ(static_cast<int>(update.states(i)), static_cast<int>(now.states[worker]));
    EXPECT_EQ(update.last_cpus(i), now.last_cpus[worker]);
    EXPECT_EQ(update.ages_ns(i), now.ages_ns[worker]);
  }
}

TEST(WatchReadingTest, UpdatesTellWhatHasHappenedSince) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 50; ++round) {
    const auto first = RandomReading(&random), second = RandomReading(&random, first->taken());
    WatchLedger ledger;
    ASSERT_EQ(ledger.Open({}, first->taken()), absl::OkStatus());
    const v1::WatchUpdate one = MustDecode(ledger.Advance(first, 0)), two = MustDecode(ledger.Advance(second, 3));
    ExpectTells(one, first->taken(), nullptr);
    EXPECT_EQ(one.merged(), 0u);
    ExpectTells(two, second->taken(), &first->taken());
    EXPECT_EQ(two.merged(), 3u);
  }
}

// A field that somebody adds to the contract and nobody fills would be the one that is missing here.
TEST(WatchReadingTest, EveryFieldIsFilled) {
  std::mt19937_64 random(1);
  PoolSnapshot snapshot = RandomSnapshot(&random, {});
  snapshot.final = true;
  WatchLedger ledger;
  ASSERT_EQ(ledger.Open({}, snapshot), absl::OkStatus());
  const v1::WatchUpdate update = MustDecode(ledger.Advance(std::make_shared<const WatchReading>(snapshot), 1));
  std::vector<const google::protobuf::FieldDescriptor*> filled;
  update.GetReflection()->ListFields(update, &filled);
  EXPECT_EQ(static_cast<int>(filled.size()), update.GetDescriptor()->field_count()) << update.DebugString();
}

std::string BytesAfter(const WatchReading& reading, const std::shared_ptr<const PoolSnapshot>& told) {
  const grpc::Slice bytes = reading.UpdateAfter(told).bytes;
  return std::string(bytes.begin(), bytes.end());
}

TEST(WatchReadingTest, WatchesAtTheSameReadingShareTheBytes) {
  std::mt19937_64 random(1);
  const auto first = RandomReading(&random), second = RandomReading(&random, first->taken());
  const std::shared_ptr<const PoolSnapshot> told(first, &first->taken());
  const auto other = std::make_shared<const PoolSnapshot>(first->taken());
  const grpc::Slice one = second->UpdateAfter(told).bytes;
  EXPECT_EQ(second->UpdateAfter(told).bytes.begin(), one.begin());
  EXPECT_NE(second->UpdateAfter(other).bytes.begin(), one.begin());
  EXPECT_EQ(BytesAfter(*second, other), std::string(one.begin(), one.end()));
}

TEST(WatchReadingTest, ATotalThatWentBackIsNoDifferenceAndIsNotCountedAgain) {
  std::mt19937_64 random(1);
  const auto low = RandomReading(&random), high = RandomReading(&random, low->taken());
  WatchLedger ledger;
  ASSERT_EQ(ledger.Open({}, low->taken()), absl::OkStatus());
  ledger.Advance(high, 0);
  for (const auto& reading : {low, high, low, high}) {
    const v1::WatchUpdate update = MustDecode(ledger.Advance(reading, 0));
    for (const uint64_t delta : update.iterations_delta()) EXPECT_EQ(delta, 0u);
    for (const uint64_t delta : update.work_units_delta()) EXPECT_EQ(delta, 0u);
  }
}

TEST(WatchReadingTest, WatchesShareTheBytesAlsoAfterATotalWentBack) {
  std::mt19937_64 random(1);
  const auto low = RandomReading(&random), high = RandomReading(&random, low->taken());
  const std::shared_ptr<const PoolSnapshot> told(high, &high->taken());
  const auto one = low->UpdateAfter(told).higher;
  EXPECT_EQ(one->iterations, high->taken().iterations);
  EXPECT_EQ(one, low->UpdateAfter(told).higher);
  EXPECT_EQ(high->UpdateAfter(one).higher, nullptr);
}

}  // namespace
}  // namespace muster
