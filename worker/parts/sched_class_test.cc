#include "worker/parts/sched_class.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>

#include <thread>

#include "base/cpu_set.h"
#include "worker/meter/meter_fixture.h"
#include "worker/work/testing/real_time.h"

namespace muster {
namespace {

// In a thread of its own, kept on CPU 1, so that real-time classes never take the machine.
void OnCpu1(const std::function<void()>& body) {
  std::thread([&body] {
    CpuSet cpus;
    cpus.Add(1);
    ASSERT_TRUE(SetAffinity(0, cpus).ok());
    body();
  }).join();
}

TEST(SchedClass, EveryClassThatWasTakenIsTheOneThatIsInForce) {
  if (!RealTimeIsAllowed()) GTEST_SKIP() << "no real-time work here: no CAP_SYS_NICE, or a cgroup without budget";
  for (const v1::SchedClass wanted : {v1::CFS, v1::BATCH, v1::IDLE, v1::RT}) {
    OnCpu1([wanted] {
      const absl::Status status = SetSchedAttributes(AttributesOf(wanted));
      ASSERT_TRUE(status.ok()) << status;
      EXPECT_EQ(GetSchedAttributes()->sched_policy, AttributesOf(wanted).sched_policy);
      EXPECT_EQ(GetSchedAttributes()->sched_priority, AttributesOf(wanted).sched_priority);
    });
  }
}

TEST(SchedClass, AnOrdinaryClassKeepsTheNiceValue) {
  OnCpu1([] {
    ASSERT_EQ(setpriority(PRIO_PROCESS, 0, 13), 0);
    for (const v1::SchedClass wanted : {v1::BATCH, v1::IDLE, v1::CFS}) {
      ASSERT_TRUE(SetSchedAttributes(AttributesOf(wanted)).ok());
      EXPECT_EQ(getpriority(PRIO_PROCESS, 0), 13) << wanted;
    }
  });
}

TEST(SchedClass, AClassThatIsRefusedStandsInTheReport) {
  OnCpu1([] {
    MeterFixture record({});
    Meter meter(record.target());
    // A deadline task must be able to run on its whole root domain, and this thread is pinned.
    TakeSchedClass(meter, AttributesOf(v1::DEADLINE), 98);
    const std::string error = record.control().setup_errors[arena::kSetPolicy].bytes;
    EXPECT_NE(error.find("SCHED_DEADLINE: EPERM"), std::string::npos) << error;
  });
}

}  // namespace
}  // namespace muster
