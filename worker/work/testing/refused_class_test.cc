// Types that take a real-time class, where the kernel refuses it: the report says so, and the work goes on.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "worker/core/group_fixture.h"
#include "worker/work/testing/group_run.h"

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
