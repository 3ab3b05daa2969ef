#include "worker/work/numa_migration_churn/numa_migration_churn.h"

#include <thread>

#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"
#include "worker/meter/meter_fixture.h"

namespace muster {
namespace {

CpuSet Only(uint32_t cpu) {
  CpuSet cpus;
  cpus.Add(cpu);
  return cpus;
}

TEST(NumaMigrationChurnTest, PinsItselfToTheNodesInTurn) {
  std::thread([] {
    MeterFixture record({});
    Meter meter(record.target());
    const std::unique_ptr<Step> step = MakeNumaMigrationChurn(1'000, {Only(0), Only(1)});
    for (int i = 0; i < 4; ++i) {
      EXPECT_EQ(step->Run(meter), StepResult::kContinue);
      EXPECT_EQ(GetAffinity(0)->ToString(), i % 2 == 0 ? "0" : "1");
    }
    EXPECT_EQ(meter.work_units(), 4u * 256);
    EXPECT_EQ(record.control().noop_reason.bytes[0], 0);
  }).join();
}

TEST(NumaMigrationChurnTest, WithOneNodeItStaysAndSaysSo) {
  MeterFixture record({});
  Meter meter(record.target());
  const std::string before = GetAffinity(0)->ToString();
  const std::unique_ptr<Step> step = MakeNumaMigrationChurn(1'000, {Only(0)});
  EXPECT_EQ(step->Run(meter), StepResult::kContinue);
  EXPECT_EQ(GetAffinity(0)->ToString(), before);
  EXPECT_EQ(std::string(record.control().noop_reason.bytes),
            "fewer than 2 NUMA nodes with CPUs: there is nowhere to migrate to");
}

TEST(NumaMigrationChurnTest, ALongPeriodEndsAtTheStop) {
  GroupFixture group("numa_migration_churn { period_ms: 3600000 }");
  group.Start(0);
  EXPECT_LT(group.StopAllNs(), 1'000'000'000u);
}

}  // namespace
}  // namespace muster
