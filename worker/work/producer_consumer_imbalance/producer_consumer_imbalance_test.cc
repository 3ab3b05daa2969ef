#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"

namespace muster {
namespace {

uint64_t Wakes(GroupFixture& group, uint32_t position) {
  return group.record(position).store(arena::kWake).head->total.load();
}

TEST(ProducerConsumerImbalanceTest, EveryItemIsConsumedOnceByManyConsumers) {
  GroupFixture group(
      "producer_consumer_imbalance { producers: 2 consumers: 3 produce_rate_hz: 1000000000 consume_iters: 1 }");
  group.RunAll(50);
  const uint64_t produced = group.meter(0).work_units() + group.meter(1).work_units();
  uint64_t consumed = 0;
  for (uint32_t position = 2; position < 5; ++position) consumed += group.meter(position).iterations();
  EXPECT_LE(consumed, produced);
  EXPECT_GE(consumed + 1024, produced) << "the rest is in the queue";
}

TEST(ProducerConsumerImbalanceTest, ProducersWaitForRoomAndConsumersForItems) {
  GroupFixture slow_consumer(
      "producer_consumer_imbalance { producers: 1 produce_rate_hz: 1000000000 consume_iters: 20000 queue_depth_target: "
      "2 }");
  slow_consumer.RunAll(20);
  EXPECT_GT(Wakes(slow_consumer, 0), 0u);
  GroupFixture slow_producer("producer_consumer_imbalance { producers: 1 produce_rate_hz: 2000 consume_iters: 0 }");
  slow_producer.RunAll(20);
  EXPECT_GT(Wakes(slow_producer, 1), 0u);
  EXPECT_EQ(Wakes(slow_producer, 0), 0u);
}

TEST(ProducerConsumerImbalanceTest, OneSideAloneWaitsUntilTheStop) {
  for (const uint32_t position : {0u, 1u}) {
    GroupFixture group(
        "producer_consumer_imbalance { producers: 1 produce_rate_hz: 1000000000 queue_depth_target: 1 }");
    group.Start(position);
    EXPECT_LT(group.StopAllNs(), 1'000'000'000u);
    EXPECT_LE(group.meter(position).iterations(), 1u);
  }
}

TEST(ProducerConsumerImbalanceTest, AQueueOfNoDepthCompletesAtOnce) {
  GroupFixture group("producer_consumer_imbalance { queue_depth_target: 0 }");
  for (uint32_t position = 0; position < 3; ++position) EXPECT_EQ(group.RunOnce(position), StepResult::kAbandon);
}

}  // namespace
}  // namespace muster
