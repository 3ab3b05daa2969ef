#include <unistd.h>

#include "base/cpu_set.h"
#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"
#include "worker/work/testing/group_run.h"

namespace muster {
namespace {

TEST(CrossAffinityChurnTest, PinsTheOtherWorkersOfItsPoolInProcessesAndInThreads) {
  for (const bool threads : {false, true}) {
    GroupRunOptions options;
    options.work = ResolvedWork("cross_affinity_churn { spin_iters: 4096 }");
    options.instances = 3;
    options.threads = threads;
    absl::StatusOr<std::unique_ptr<GroupRun>> run = GroupRun::Start(options);
    ASSERT_TRUE(run.ok()) << run.status();
    const std::string all = GetAffinity(0)->ToString();
    for (uint32_t i = 0; i < 3; ++i) {
      EXPECT_TRUE(
          GroupRun::Eventually([&] { return GetAffinity((*run)->tid(i))->ToString() != all; }, absl::Seconds(5)));
      EXPECT_TRUE(
          GroupRun::Eventually([&] { return GetAffinity((*run)->tid(i))->ToString() == all; }, absl::Seconds(5)));
    }
    EXPECT_TRUE((*run)->WaitForIterations(10, absl::Seconds(5)));
    const absl::Status stopped = (*run)->Stop();
    ASSERT_TRUE(stopped.ok()) << stopped;
    for (uint32_t i = 0; i < 3; ++i) EXPECT_EQ((*run)->result(i).noop_reason, "");
  }
}

TEST(CrossAffinityChurnTest, TheirParentIsNeverPinned) {
  const std::string before = GetAffinity(0)->ToString();
  GroupRunOptions options;
  options.work = ResolvedWork("cross_affinity_churn { spin_iters: 1 }");
  options.instances = 2;
  absl::StatusOr<std::unique_ptr<GroupRun>> run = GroupRun::Start(options);
  ASSERT_TRUE(run.ok()) << run.status();
  for (int look = 0; look < 1'000; ++look) ASSERT_EQ(GetAffinity(0)->ToString(), before);
  const absl::Status stopped = (*run)->Stop();
  ASSERT_TRUE(stopped.ok()) << stopped;
}

TEST(CrossAffinityChurnTest, NeighboursThatItMayNotPinAreReported) {
  if (geteuid() != 0) GTEST_SKIP() << "needs the superuser, to become nobody";
  constexpr uid_t kNobody = 65534;
  GroupRunOptions options;
  options.work = ResolvedWork("cross_affinity_churn { spin_iters: 1 }");
  options.instances = 2;
  options.before = [](const WorkerPlace& place) {
    const uid_t user = place.worker == 0 ? kNobody : 0;
    ASSERT_EQ(setresuid(user, user, user), 0);
  };
  const absl::StatusOr<std::vector<MemberResult>> results = RunGroup(options, absl::Milliseconds(20));
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_NE((*results)[0].noop_reason.find("EPERM"), std::string::npos) << (*results)[0].noop_reason;
  EXPECT_EQ((*results)[1].noop_reason, "");
}

TEST(CrossAffinityChurnTest, AloneInItsPoolItPinsNobodyAndSaysSo) {
  GroupRunOptions options;
  options.work = ResolvedWork("cross_affinity_churn {}");
  const absl::StatusOr<std::vector<MemberResult>> results = RunGroup(options, absl::Milliseconds(20));
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_EQ((*results)[0].noop_reason, "the pool has no other worker to pin");
  EXPECT_GT((*results)[0].iterations, 0u);
}

}  // namespace
}  // namespace muster
