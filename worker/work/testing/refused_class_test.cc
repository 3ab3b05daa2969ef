// Types that take a real-time class, where the kernel refuses it: the report says so, and the work goes on.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "worker/core/group_fixture.h"
#include "worker/work/testing/group_run.h"
#include "worker/work/testing/real_time.h"

namespace muster {
namespace {

constexpr uid_t kNobody = 65534;

struct Taker {
  const char* name;
  const char* work;
  std::vector<uint32_t> positions;  // that take a class
};
void PrintTo(const Taker& taker, std::ostream* out) { *out << taker.name; }

class RefusedClassTest : public testing::TestWithParam<Taker> {};

TEST_P(RefusedClassTest, IsReportedByThoseWhoTakeOneAndNobodyElseAndAllWork) {
  GroupRunOptions options;
  options.work = ResolvedWork(GetParam().work);
  options.before = [](const WorkerPlace&) {
    const rlimit none = {0, 0};
    ASSERT_EQ(setrlimit(RLIMIT_RTPRIO, &none), 0);
    ASSERT_EQ(seteuid(kNobody), 0) << "without the superuser's capabilities";
  };
  absl::StatusOr<std::unique_ptr<GroupRun>> run = GroupRun::Start(options);
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_TRUE((*run)->WaitForIterations(1, absl::Seconds(2)));
  const absl::Status stopped = (*run)->Stop();
  ASSERT_TRUE(stopped.ok()) << stopped;
  for (uint32_t i = 0; i < (*run)->size(); ++i) {
    bool takes = false;
    for (const uint32_t position : GetParam().positions) takes |= position == i;
    const std::string& error = (*run)->result(i).policy_error;
    EXPECT_EQ(error.find("EPERM") != std::string::npos, takes) << "position " << i << ": " << error;
  }
}

INSTANTIATE_TEST_SUITE_P(All, RefusedClassTest,
                         testing::Values(Taker{"RtStarvation", "rt_starvation {}", {0}},
                                         Taker{"PreemptStorm", "preempt_storm {}", {0}},
                                         Taker{"PriorityInversion", "priority_inversion {}", {0, 1, 2}},
                                         Taker{"PriorityInversionPi", "priority_inversion { pi_mode: PI }", {0, 1, 2}},
                                         Taker{"AsymmetricWaker", "asymmetric_waker { waker_class: RT }", {0}},
                                         Taker{"AsymmetricWakee", "asymmetric_waker { wakee_class: DEADLINE }", {1}}),
                         [](const auto& one) { return std::string(one.param.name); });

struct Limited {
  const char* name;
  const char* work;
  uint32_t limit;  // below what the type takes
};
void PrintTo(const Limited& limited, std::ostream* out) { *out << limited.name; }

class LimitedClassTest : public testing::TestWithParam<Limited> {
 protected:
  // Of position 0, alone and on one CPU.
  void Run() {
    GroupRunOptions options;
    options.work = ResolvedWork(GetParam().work);
    options.only = {0};
    options.cpu_of = [](const WorkerPlace&) { return 1; };
    options.max_rt_priority = GetParam().limit;
    absl::StatusOr<std::unique_ptr<GroupRun>> run = GroupRun::Start(options);
    ASSERT_TRUE(run.ok()) << run.status();
    EXPECT_TRUE((*run)->WaitForIterations(1, absl::Seconds(2)));
    ASSERT_EQ(sched_getparam((*run)->tid(0), &param_), 0);
    const absl::Status stopped = (*run)->Stop();
    ASSERT_TRUE(stopped.ok()) << stopped;
    error_ = (*run)->result(0).policy_error;
  }

  sched_param param_ = {};
  std::string error_;
};

TEST_P(LimitedClassTest, IsNotAboveTheLimitAndSaysSo) {
  if (GetParam().limit != 0 && !RealTimeIsAllowed()) GTEST_SKIP() << "no real-time work here";
  Run();
  EXPECT_EQ(static_cast<uint32_t>(param_.sched_priority), GetParam().limit);
  EXPECT_NE(error_.find("above the limit for workers"), std::string::npos) << error_;
}

INSTANTIATE_TEST_SUITE_P(All, LimitedClassTest,
                         testing::Values(Limited{"RtStarvation", "rt_starvation { rt_priority: 98 }", 10},
                                         Limited{"RtStarvationWithoutAny", "rt_starvation {}", 0},
                                         Limited{"PreemptStormWithoutAny", "preempt_storm {}", 0},
                                         Limited{"PriorityInversion", "priority_inversion {}", 10},
                                         Limited{"PriorityInversionPi", "priority_inversion { pi_mode: PI }", 10},
                                         Limited{"AsymmetricWaker", "asymmetric_waker { waker_class: RT }", 10}),
                         [](const auto& one) { return std::string(one.param.name); });

// The lock's wake samples, which roles on one CPU never take: there the highest never finds it held.
TEST(PriorityInversionTest, APlainPriorityInversionFillsItsWakes) {
  GroupRunOptions options;
  options.work = ResolvedWork("priority_inversion { work_iters: 0 }");
  options.only = {0, 2};
  options.before = [](const WorkerPlace&) { ASSERT_EQ(seteuid(kNobody), 0); };
  absl::StatusOr<std::unique_ptr<GroupRun>> run = GroupRun::Start(options);
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_TRUE((*run)->WithinShare(
      [&] { return (*run)->samples(0, arena::kWake) + (*run)->samples(1, arena::kWake) != 0; }, absl::Seconds(5)));
  const absl::Status stopped = (*run)->Stop();
  ASSERT_TRUE(stopped.ok()) << stopped;
}

}  // namespace
}  // namespace muster
