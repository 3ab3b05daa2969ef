// A resource that runs out half-way through Spawn: a clear error, no zombie, no leak; the next Spawn works.
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/descriptors_testing.h"
#include "base/pids_group_testing.h"
#include "base/test_run.h"
#include "tests/support/live_test.h"

namespace muster {
namespace {

class ResourcesTest : public LiveTest {
 protected:
  void ExpectCleanFailure(const absl::Status& status, const std::string& errno_name) {
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), errno_name)) << status;
    const absl::Status idle = daemon_->WaitUntilIdle(Deadline::After(absl::Seconds(2)));
    EXPECT_TRUE(idle.ok()) << idle;
  }
};

// The pids controller is version 1 on a hybrid machine: the daemon is put into a group of its own there.
TEST_F(ResourcesTest, EagainFromThePidsControllerFailsCleanly) {
  if (!PidsGroupForTesting::IsPossible()) {
    GTEST_SKIP() << "no version 1 pids controller on this machine; the guest suite has version 2";
  }
  const PidsGroupForTesting group;
  group.PutIn(daemon_->pid());
  group.SetMax(absl::StrCat(group.Used() + 20));
  ExpectCleanFailure(client_->Spawn(Spec("num_workers: 100")).status(), "EAGAIN");
  group.SetMax("max");
  EXPECT_TRUE(client_->Spawn(Spec("num_workers: 100")).ok());
  ASSERT_TRUE(daemon_->WaitUntilIdle(Deadline::After(kPatience)).ok());
  client_.reset();
  group.TakeOut(daemon_->pid());
  for (pid_t pid : daemon_->WorkerProcesses()) group.TakeOut(pid);
}

TEST_F(ResourcesTest, WithNoRoomForAThreadTheDaemonEndsWellAndItsPoolsWithIt) {
  if (kUnderAsan) GTEST_SKIP() << "the leak checker makes a thread of its own at the end of each process";
  if (kUnderTsan) {
    GTEST_SKIP()
        << "slow as it is, gRPC wants another timer thread meanwhile, and its shutdown waits for the one that could "
           "not be made";
  }
  if (!PidsGroupForTesting::IsPossible()) GTEST_SKIP() << "no version 1 pids controller on this machine";
  const PidsGroupForTesting group;
  group.PutIn(daemon_->pid());
  const WorkloadHandle one = MustSpawn(Spec("num_workers: 1")), two = MustSpawn(Spec("num_workers: 1"));
  group.SetMax("1");
  const absl::StatusOr<ProcessEnd> end = daemon_->End(SIGTERM, Deadline::After(kPatience));
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->exit_code, 0) << "signal " << end->signal;
  daemon_ended_ = true;
  const absl::Status gone = daemon_->WaitUntilNothingIsLeft(Deadline::After(kPatience));
  EXPECT_TRUE(gone.ok()) << gone;
}

// At every step of a Spawn that opens descriptors: the limit is raised by one each time.
TEST_F(ResourcesTest, EmfileAtAnyStepFailsCleanly) {
  if (kUnderAsan) {
    GTEST_SKIP() << "the undefined-behaviour sanitizer opens a pipe to look at a virtual table, and takes EMFILE for a "
                    "bad object";
  }
  rlimit old_limit;
  ASSERT_EQ(prlimit(daemon_->pid(), RLIMIT_NOFILE, nullptr, &old_limit), 0);
  ASSERT_TRUE(client_->Spawn(Spec("num_workers: 4")).ok()) << "what is opened once is open now";
  int failures = 0;
  for (int more = 1; more < 40; ++more) {
    ASSERT_TRUE(daemon_->WaitUntilIdle(Deadline::After(kPatience)).ok());
    rlimit tight = old_limit;
    tight.rlim_cur = CountDescriptors(daemon_->pid()) + more;
    ASSERT_EQ(prlimit(daemon_->pid(), RLIMIT_NOFILE, &tight, nullptr), 0);
    const absl::Status status = client_->Spawn(Spec("num_workers: 4")).status();
    ASSERT_EQ(prlimit(daemon_->pid(), RLIMIT_NOFILE, &old_limit, nullptr), 0);
    if (!status.ok()) ExpectCleanFailure(status, "EMFILE");
    failures += !status.ok();
  }
  EXPECT_GE(failures, 20);
  EXPECT_TRUE(client_->Spawn(Spec("num_workers: 4")).ok());
}

TEST_F(ResourcesTest, AnArenaAboveTheLimitIsRefusedUpFront) {
  StartDaemon({.flags = {"--max_arena_bytes=10000000"}});
  const absl::Status status = client_->Spawn(Spec("num_workers: 100 work { pipe_io {} }")).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "max_arena_bytes")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "max_samples")) << "the fix: " << status;
  EXPECT_TRUE(client_->Spawn(Spec("num_workers: 100 work { pipe_io {} } max_samples: 100")).ok());
}

}  // namespace
}  // namespace muster
