#include "daemon/janitor/janitor.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include <optional>

#include "absl/strings/str_cat.h"
#include "base/cgroup_testing.h"
#include "base/pidfd.h"

namespace muster {
namespace {

Deadline Soon() { return Deadline::After(absl::Seconds(10)); }

class DaemonJanitorTest : public testing::Test {
 protected:
  DaemonJanitorTest() : instance_(scratch_.dir().Create("muster")->Create("one").value()) {
    EXPECT_TRUE(instance_.Create("workload").ok());
  }
  absl::StatusOr<Janitor> Spawn(const std::string& binary = getenv("MUSTER_JANITOR")) const {
    return Janitor::Spawn({binary, "one", &scratch_.dir(), &instance_});
  }
  bool Exists(absl::string_view name) const {
    return access(absl::StrCat(scratch_.path(), "/", name).c_str(), F_OK) == 0;
  }

  ScratchCgroup scratch_;
  const CgroupDir instance_;
};

TEST_F(DaemonJanitorTest, DestructorSaysGoodByeAndReapsIt) {
  pid_t pid = -1;
  {
    const Janitor janitor = Spawn().value();
    pid = janitor.pid();
    EXPECT_EQ(kill(pid, 0), 0);
  }
  EXPECT_EQ(kill(pid, 0), -1);
  EXPECT_EQ(errno, ESRCH);
  EXPECT_TRUE(Exists("muster/one/workload"));
}

TEST_F(DaemonJanitorTest, StoppedJanitorDoesNotHoldUpTheDaemon) {
  pid_t pid = -1;
  {
    const Janitor janitor = Spawn().value();
    pid = janitor.pid();
    ASSERT_EQ(kill(pid, SIGSTOP), 0);
  }
  EXPECT_EQ(kill(pid, 0), -1);
}

TEST_F(DaemonJanitorTest, MovedFromOneSaysNothing) {
  Janitor first = Spawn().value();
  {
    const Janitor second = std::move(first);
    EXPECT_EQ(kill(second.pid(), 0), 0);
  }
  EXPECT_TRUE(Exists("muster/one/workload"));
}

TEST_F(DaemonJanitorTest, KilledDaemonLeavesNothing) {
  const TestChild worker;
  worker.MoveTo(instance_.Open("workload").value());
  void* const shared = mmap(nullptr, sizeof(pid_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pid_t* const janitor_pid = static_cast<pid_t*>(shared);
  Pidfd janitor;
  {
    std::optional<Janitor> held;
    const TestChild daemon([&] {
      held.emplace(Spawn().value());
      *janitor_pid = held->pid();
    });
    janitor = Pidfd::Open(*janitor_pid).value();
    // The daemon is killed here, with SIGKILL.
  }
  EXPECT_TRUE(janitor.WaitEnd(Soon()).ok());
  EXPECT_TRUE(worker.Ends());
  EXPECT_FALSE(Exists("muster"));
  munmap(shared, sizeof(pid_t));
}

TEST_F(DaemonJanitorTest, BinaryThatIsNoJanitorIsAnError) {
  EXPECT_EQ(Spawn("/does/not/exist").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Spawn("/bin/true").status().code(), absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace muster
