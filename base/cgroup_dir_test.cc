#include "base/cgroup_dir.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "base/cgroup_testing.h"
#include "base/file_io.h"

namespace muster {
namespace {

Deadline Soon() { return Deadline::After(absl::Seconds(10)); }

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

constexpr char kBlockThread[] = "block-thread";

void* BlockThread(void*) {
  prctl(PR_SET_NAME, kBlockThread);
  while (true) pause();
}

TEST(CgroupDirTest, CreateIsIdempotentAndCreateNewIsNot) {
  const ScratchCgroup scratch;
  ASSERT_TRUE(scratch.dir().Create("a").ok());
  EXPECT_TRUE(scratch.dir().Create("a").ok());
  EXPECT_EQ(scratch.dir().CreateNew("a").status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(scratch.dir().Children().value(), std::vector<std::string>{"a"});
}

TEST(CgroupDirTest, AFullTreeIsAResourceThatIsExhausted) {
  const ScratchCgroup scratch;
  ASSERT_TRUE(scratch.dir().WriteFile("cgroup.max.descendants", "0").ok());
  const absl::Status status = scratch.dir().Create("a").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_NE(status.message().find("cgroup.max.descendants"), absl::string_view::npos) << status;
}

TEST(CgroupDirTest, NamesThatLeaveTheDirectoryAreRefused) {
  const ScratchCgroup scratch;
  for (const char* name : {"", ".", "..", "a/b", "/"}) {
    EXPECT_EQ(scratch.dir().Open(name).status().code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_EQ(scratch.dir().Create(name).status().code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_EQ(scratch.dir().RemoveEmpty(name).code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_EQ(RemoveCgroupTree(scratch.dir(), name, Soon()).status().code(), absl::StatusCode::kInvalidArgument)
        << name;
  }
  EXPECT_EQ(scratch.dir().OpenBelow("a/../..").status().code(), absl::StatusCode::kNotFound);
}

TEST(CgroupDirTest, ErrorsNameTheCgroupAndErrno) {
  const ScratchCgroup scratch;
  const absl::Status status = scratch.dir().Open("missing").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(status.message().find(scratch.path()), absl::string_view::npos) << status;
  EXPECT_NE(status.message().find("ENOENT"), absl::string_view::npos) << status;
}

TEST(CgroupDirTest, MembersAndPopulationAreRead) {
  const ScratchCgroup scratch;
  EXPECT_FALSE(scratch.dir().Populated().value());
  const TestChild child;
  child.MoveTo(scratch.dir());
  EXPECT_EQ(scratch.dir().ReadProcs().value(), std::vector<pid_t>{child.pid()});
  const std::vector<pid_t> threads = scratch.dir().ReadThreads().value();
  EXPECT_EQ(std::count(threads.begin(), threads.end(), child.pid()), 1);
  // The thread sanitizer has a thread of its own in every process.
  for (const pid_t thread : threads) EXPECT_TRUE(Exists(absl::StrCat("/proc/", child.pid(), "/task/", thread)));
  EXPECT_TRUE(scratch.dir().Populated().value());
}

TEST(CgroupDirTest, KillEndsAllBelowAndTheWaitSeesIt) {
  const ScratchCgroup scratch;
  const CgroupDir below = scratch.dir().Create("below").value();
  const TestChild here;
  const TestChild deeper;
  here.MoveTo(scratch.dir());
  deeper.MoveTo(below);
  EXPECT_EQ(scratch.dir().WaitUnpopulated(Deadline::After(absl::Milliseconds(20))).code(),
            absl::StatusCode::kDeadlineExceeded);
  ASSERT_TRUE(scratch.dir().Kill().ok());
  EXPECT_TRUE(scratch.dir().WaitUnpopulated(Soon()).ok());
  EXPECT_TRUE(here.Ends());
  EXPECT_TRUE(deeper.Ends());
  // Both still wait to be reaped by this test; they hold no cgroup any more.
  EXPECT_TRUE(scratch.dir().ReadProcs().value().empty());
}

TEST(CgroupDirTest, FreezeWaitsUntilAllAreFrozenAndThawEndsIt) {
  const ScratchCgroup scratch;
  const TestChild child;
  child.MoveTo(scratch.dir());
  ASSERT_TRUE(scratch.dir().Freeze(Soon()).ok());
  EXPECT_NE(scratch.dir().ReadFile("cgroup.events").value().find("frozen 1"), std::string::npos);
  ASSERT_TRUE(scratch.dir().Thaw().ok());
  EXPECT_NE(scratch.dir().ReadFile("cgroup.freeze").value().find("0"), std::string::npos);
}

TEST(CgroupDirTest, FreezeThatDoesNotComeToPassIsAnError) {
  std::string folder = testing::TempDir() + "/cgroup.XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  {
    const UniqueFd events = OpenAt(AT_FDCWD, folder + "/cgroup.events", O_CREAT | O_WRONLY, 0600).value();
    ASSERT_TRUE(WriteAll(events.get(), "populated 1\nfrozen 0\n").ok());
    ASSERT_TRUE(OpenAt(AT_FDCWD, folder + "/cgroup.freeze", O_CREAT | O_WRONLY, 0600).ok());
  }
  const CgroupDir dir = CgroupDir::OpenPath(folder).value();
  EXPECT_EQ(dir.Freeze(Deadline::After(absl::Milliseconds(10))).code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(*ReadFile(folder + "/cgroup.freeze"), "1");
  std::filesystem::remove_all(folder);
}

TEST(CgroupDirTest, RemovedTreeLeavesNoProcessAndNoDirectory) {
  const ScratchCgroup scratch;
  const CgroupDir top = scratch.dir().Create("top").value();
  const CgroupDir leaf = top.Create("middle")->Create("leaf").value();
  const TestChild in_top;
  const TestChild in_leaf;
  in_top.MoveTo(top);
  in_leaf.MoveTo(leaf);
  ASSERT_TRUE(leaf.Freeze(Soon()).ok());
  EXPECT_EQ(RemoveCgroupTree(scratch.dir(), "top", Soon()).value(), 2);
  EXPECT_TRUE(in_top.Ends());
  EXPECT_TRUE(in_leaf.Ends());
  EXPECT_FALSE(Exists(scratch.path() + "/top"));
}

TEST(CgroupDirTest, RemovingWhatIsNotThereSucceeds) {
  const ScratchCgroup scratch;
  EXPECT_EQ(RemoveCgroupTree(scratch.dir(), "missing", Soon()).value(), 0);
}

TEST(CgroupDirTest, ProcessThatForksAllTheTimeIsRemoved) {
  const ScratchCgroup scratch;
  const CgroupDir top = scratch.dir().Create("top").value();
  const TestChild forker([&] {
    [[maybe_unused]] const absl::Status moved = top.MoveSelfHere();
    if (fork() != 0) return;
    // The generations follow each other; each parent ends at once.
    while (true) {
      if (fork() > 0) _exit(0);
    }
  });
  EXPECT_TRUE(RemoveCgroupTree(scratch.dir(), "top", Soon()).ok());
  EXPECT_FALSE(Exists(scratch.path() + "/top"));
}

TEST(CgroupDirTest, ThreadedCgroupMakesItsParentAThreadRoot) {
  const ScratchCgroup scratch;
  EXPECT_EQ(scratch.dir().Type().value(), "domain");
  EXPECT_EQ(scratch.parent().Type().value(), "root");
  const CgroupDir threads = scratch.dir().Create("threads").value();
  ASSERT_TRUE(threads.MakeThreaded().ok());
  EXPECT_EQ(threads.Type().value(), "threaded");
  EXPECT_EQ(scratch.dir().Type().value(), "domain threaded");
}

TEST(CgroupDirTest, RemovalOfAThreadedCgroupKillsTheProcessesOfItsThreads) {
  const ScratchCgroup scratch;
  const CgroupDir root = scratch.dir().Create("root").value();
  const CgroupDir threads = root.Create("threads").value();
  ASSERT_TRUE(threads.MakeThreaded().ok());
  const TestChild bystander;
  const TestChild process([&] {
    [[maybe_unused]] const absl::Status moved = root.MoveSelfHere();
    pthread_t thread;
    pthread_create(&thread, nullptr, BlockThread, nullptr);
  });
  bystander.MoveTo(root);
  const auto blocked = [&root]() -> pid_t {
    const std::vector<pid_t> tids = root.ReadThreads().value();
    for (const pid_t tid : tids) {
      if (ReadFile(absl::StrCat("/proc/", tid, "/comm")).value_or("") == absl::StrCat(kBlockThread, "\n")) return tid;
    }
    return 0;
  };
  const Deadline deadline = Soon();
  while (blocked() == 0 && !deadline.Expired()) sched_yield();
  ASSERT_GT(blocked(), 0);
  ASSERT_TRUE(threads.WriteFile("cgroup.threads", absl::StrCat(blocked())).ok());
  EXPECT_EQ(RemoveCgroupTree(root, "threads", Soon()).value(), 1);
  EXPECT_TRUE(process.Ends());
  EXPECT_FALSE(bystander.HasEnded());
  EXPECT_FALSE(Exists(scratch.path() + "/root/threads"));
}

TEST(CgroupDirTest, ControllerThatIsNotThereCannotBeHandedDown) {
  const ScratchCgroup scratch;
  EXPECT_FALSE(scratch.dir().EnableControllers({"no_such_controller"}).ok());
  EXPECT_TRUE(scratch.dir().EnableControllers({}).ok());
}

TEST(CgroupDirTest, RemadeDirectoryIsNotTheSame) {
  const ScratchCgroup scratch;
  const CgroupDir first = scratch.dir().Create("a").value();
  EXPECT_TRUE(first.IsSameDirectory(first.Duplicate().value()));
  ASSERT_TRUE(scratch.dir().RemoveEmpty("a").ok());
  const CgroupDir second = scratch.dir().Create("a").value();
  EXPECT_FALSE(first.IsSameDirectory(second));
  EXPECT_TRUE(first.WaitUnpopulated(Soon()).ok()) << "a removed cgroup has nobody in it";
}

}  // namespace
}  // namespace muster
