#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "base/cgroup_testing.h"
#include "base/instance_tree.h"
#include "base/janitor_protocol.h"
#include "base/spawn_process.h"

namespace muster {
namespace {

Deadline Soon() { return Deadline::After(absl::Seconds(10)); }

// A janitor over BASE/muster/one, with this test in the daemon's part.
class JanitorTest : public testing::Test {
 protected:
  JanitorTest() : instance_(scratch_.dir().Create("muster")->Create("one").value()) {
    EXPECT_TRUE(instance_->Create("workload").ok());
    EXPECT_EQ(flock(instance_->fd(), LOCK_EX | LOCK_NB), 0);
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    socket_.Reset(ends[0]);
    const UniqueFd theirs(ends[1]);
    SpawnOptions options;
    options.program = getenv("MUSTER_JANITOR");
    options.arguments = {"janitor", kJanitorFlag, "one"};
    options.descriptors = {
        {kJanitorSocketFd, theirs.get()}, {kJanitorBaseFd, scratch_.dir().fd()}, {kJanitorInstanceFd, instance_->fd()}};
    process_ = SpawnProcess(options).value();
    char byte = 0;
    EXPECT_EQ(read(socket_.get(), &byte, 1), 1);
    EXPECT_EQ(byte, kJanitorReady);
  }

  ~JanitorTest() override {
    socket_.Reset();
    if (!reaped_) End();
  }

  int End() {
    reaped_ = true;
    const absl::StatusOr<ProcessEnd> end = process_.pidfd.Reap(Soon());
    EXPECT_TRUE(end.ok()) << end.status();
    return end.ok() ? end->exit_code : -1;
  }
  CgroupDir Workload() const { return scratch_.dir().OpenBelow("muster/one/workload").value(); }
  bool Exists(absl::string_view name) const {
    return access(absl::StrCat(scratch_.path(), "/", name).c_str(), F_OK) == 0;
  }

  ScratchCgroup scratch_;
  std::optional<CgroupDir> instance_;
  UniqueFd socket_;
  SpawnedProcess process_;
  bool reaped_ = false;
};

TEST_F(JanitorTest, DeathOfTheDaemonEndsItsWorkloadAndRemovesItsTree) {
  const TestChild worker;
  const TestChild frozen;
  worker.MoveTo(Workload());
  const CgroupDir below = Workload().Create("a")->Create("b").value();
  frozen.MoveTo(below);
  ASSERT_TRUE(below.Freeze(Soon()).ok());
  const Deadline bound = Deadline::After(kJanitorSweepTime);
  socket_.Reset();
  EXPECT_EQ(End(), 0);
  EXPECT_FALSE(bound.Expired());
  EXPECT_TRUE(worker.Ends());
  EXPECT_TRUE(frozen.Ends());
  EXPECT_FALSE(Exists("muster"));
}

TEST_F(JanitorTest, GoodByeEndsItWithoutTouchingAnything) {
  const TestChild worker;
  worker.MoveTo(Workload());
  ASSERT_EQ(write(socket_.get(), &kJanitorGoodBye, 1), 1);
  EXPECT_EQ(End(), 0);
  EXPECT_FALSE(worker.HasEnded());
  EXPECT_TRUE(Exists("muster/one/workload"));
}

TEST_F(JanitorTest, OtherBytesAreNoGoodBye) {
  ASSERT_EQ(write(socket_.get(), "xyz", 3), 3);
  socket_.Reset();
  EXPECT_EQ(End(), 0);
  EXPECT_FALSE(Exists("muster"));
}

TEST_F(JanitorTest, SignalsThatEndADaemonDoNotEndIt) {
  for (int signal_number : {SIGTERM, SIGINT, SIGHUP, SIGPIPE}) ASSERT_TRUE(process_.pidfd.Signal(signal_number).ok());
  socket_.Reset();
  EXPECT_EQ(End(), 0);
  EXPECT_FALSE(Exists("muster"));
}

TEST_F(JanitorTest, ItLeadsASessionOfItsOwn) { EXPECT_EQ(getsid(process_.pid), process_.pid); }

TEST_F(JanitorTest, ItKeepsOnlyItsDescriptors) {
  std::set<std::string> fds;
  for (const auto& entry : std::filesystem::directory_iterator(absl::StrCat("/proc/", process_.pid, "/fd"))) {
    fds.insert(entry.path().filename());
  }
  EXPECT_EQ(fds, (std::set<std::string>{"0", "1", "2", "3", "4", "5"}));
}

TEST_F(JanitorTest, TheLockOutlivesTheDaemonUntilTheSweepIsDone) {
  instance_.reset();
  const CgroupDir other = scratch_.dir().OpenBelow("muster/one").value();
  EXPECT_NE(flock(other.fd(), LOCK_EX | LOCK_NB), 0);
  ASSERT_EQ(write(socket_.get(), &kJanitorGoodBye, 1), 1);
  EXPECT_EQ(End(), 0);
  EXPECT_EQ(flock(other.fd(), LOCK_EX | LOCK_NB), 0);
}

TEST_F(JanitorTest, SuccessorOfTheSameNameIsLeftAlone) {
  ASSERT_TRUE(RemoveCgroupTree(*scratch_.dir().Open("muster"), "one", Soon()).ok());
  ASSERT_TRUE(scratch_.dir().OpenBelow("muster")->Create("one")->Create("workload").ok());
  const TestChild worker;
  worker.MoveTo(Workload());
  socket_.Reset();
  EXPECT_EQ(End(), 0);
  EXPECT_FALSE(worker.HasEnded());
  EXPECT_TRUE(Exists("muster/one/workload"));
}

TEST_F(JanitorTest, OtherInstancesAreLeftAlone) {
  ASSERT_TRUE(scratch_.dir().OpenBelow("muster")->Create("two").ok());
  socket_.Reset();
  EXPECT_EQ(End(), 0);
  EXPECT_FALSE(Exists("muster/one"));
  EXPECT_TRUE(Exists("muster/two"));
}

TEST(JanitorMainTest, CalledByHandItRefuses) {
  SpawnOptions options;
  options.program = getenv("MUSTER_JANITOR");
  options.arguments = {"janitor", kJanitorFlag, "one"};
  const SpawnedProcess process = SpawnProcess(options).value();
  EXPECT_EQ(process.pidfd.Reap(Soon())->exit_code, 64);
}

}  // namespace
}  // namespace muster
