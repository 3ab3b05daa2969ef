// Kinds, members and removal, on the kernel's own tree.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "base/cgroup_testing.h"
#include "daemon/cgroup/cgroup_manager.h"

namespace muster {
namespace {

Deadline Soon() { return Deadline::After(absl::Seconds(10)); }

CgroupPath Path(absl::string_view name) { return CgroupPath::Parse(name, "name").value(); }

bool Says(const absl::Status& status, absl::string_view part) {
  return status.message().find(part) != absl::string_view::npos;
}

class CgroupManagerKernelTest : public testing::Test {
 protected:
  CgroupManagerKernelTest()
      : manager_(
            {scratch_.dir().Duplicate().value(), {}, {}, {CpuSet::Parse("0-1").value(), CpuSet::Parse("0").value()}}) {}

  absl::Status Create(absl::string_view name, v1::CgroupKind kind = v1::DOMAIN) {
    v1::CgroupSpec spec;
    spec.set_name(std::string(name));
    spec.set_kind(kind);
    return manager_.Create(spec, "spec", Soon()).status();
  }
  bool Exists(absl::string_view name) const {
    return access(absl::StrCat(scratch_.path(), "/", name).c_str(), F_OK) == 0;
  }

  ScratchCgroup scratch_;
  CgroupManager manager_;
};

TEST_F(CgroupManagerKernelTest, RemovalKillsWhatIsInsideAndCountsIt) {
  ASSERT_TRUE(Create("a/b").ok());
  const TestChild one;
  const TestChild two;
  one.MoveTo(manager_.Open(Path("a/b")).value());
  two.MoveTo(manager_.Open(Path("a/b")).value());
  ASSERT_TRUE(manager_.Open(Path("a/b"))->Freeze(Soon()).ok());
  EXPECT_EQ(manager_.Remove(Path("a/b"), Soon()).value(), 2);
  EXPECT_TRUE(one.Ends());
  EXPECT_TRUE(two.Ends());
  EXPECT_FALSE(Exists("a"));
  EXPECT_EQ(manager_.Remove(Path("a/b"), Soon()).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(manager_.Open(Path("a/b")).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(CgroupManagerKernelTest, RemovalOfAParentTakesThoseBelowAlong) {
  ASSERT_TRUE(Create("a").ok());
  ASSERT_TRUE(Create("a/b").ok());
  ASSERT_TRUE(manager_.Remove(Path("a"), Soon()).ok());
  EXPECT_TRUE(manager_.List().empty());
  EXPECT_FALSE(Exists("a"));
}

TEST_F(CgroupManagerKernelTest, OneWhoseChildWasAddedByAWorkloadIsRemovedWithIt) {
  ASSERT_TRUE(Create("a").ok());
  const CgroupDir strange = manager_.Open(Path("a"))->Create("made-by-worker").value();
  const TestChild child;
  child.MoveTo(strange);
  EXPECT_EQ(manager_.Remove(Path("a"), Soon()).value(), 1);
  EXPECT_FALSE(Exists("a"));
}

TEST_F(CgroupManagerKernelTest, DirectoryThatAWorkloadMadeIsNotTakenOver) {
  ASSERT_TRUE(scratch_.dir().Create("strange").ok());
  EXPECT_EQ(Create("strange").code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(Exists("strange"));
}

TEST_F(CgroupManagerKernelTest, OneThatVanishedBehindOurBackIsMadeAgain) {
  ASSERT_TRUE(Create("a/b").ok());
  ASSERT_TRUE(RemoveCgroupTree(scratch_.dir(), "a", Soon()).ok());
  EXPECT_TRUE(Create("a").ok());
  EXPECT_TRUE(Exists("a"));
  EXPECT_FALSE(Exists("a/b"));
  EXPECT_EQ(manager_.List().size(), 1u);
}

TEST_F(CgroupManagerKernelTest, WantOfDescriptorsMakesNoCgroupForgotten) {
  ASSERT_TRUE(Create("a").ok());
  rlimit old_limit;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &old_limit), 0);
  const int lowest_free = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
  ASSERT_EQ(close(lowest_free), 0);
  rlimit tight = old_limit;
  tight.rlim_cur = lowest_free;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
  const absl::Status starved = Create("a");
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &old_limit), 0);
  EXPECT_EQ(starved.code(), absl::StatusCode::kResourceExhausted) << starved;
  EXPECT_TRUE(manager_.Open(Path("a")).ok());
  EXPECT_TRUE(manager_.Remove(Path("a"), Soon()).ok());
  EXPECT_FALSE(Exists("a"));
}

TEST_F(CgroupManagerKernelTest, RemovalOfOneThatVanishedSucceeds) {
  ASSERT_TRUE(Create("a/b").ok());
  ASSERT_TRUE(RemoveCgroupTree(scratch_.dir(), "a", Soon()).ok());
  EXPECT_TRUE(manager_.Remove(Path("a/b"), Soon()).ok());
  EXPECT_TRUE(manager_.List().empty());
}

TEST_F(CgroupManagerKernelTest, ThreadedOnesStandBelowAThreadedRoot) {
  ASSERT_TRUE(Create("root", v1::THREADED_ROOT).ok());
  EXPECT_EQ(manager_.Type(Path("root")).value(), "domain");
  ASSERT_TRUE(Create("root/x/y", v1::THREADED).ok());
  EXPECT_EQ(manager_.Type(Path("root")).value(), "domain threaded");
  EXPECT_EQ(manager_.Type(Path("root/x")).value(), "threaded");
  EXPECT_EQ(manager_.Type(Path("root/x/y")).value(), "threaded");
  EXPECT_TRUE(manager_.CheckAcceptsTasks(Path("root")).ok());
  EXPECT_TRUE(manager_.CheckAcceptsTasks(Path("root/x/y")).ok());
}

TEST_F(CgroupManagerKernelTest, ThreadedWithoutARootIsRefusedWithTheFix) {
  EXPECT_TRUE(Says(Create("x", v1::THREADED), "below a THREADED_ROOT"));
  ASSERT_TRUE(Create("a").ok());
  EXPECT_TRUE(Says(Create("a/x", v1::THREADED), "no THREADED_ROOT above it"));
  EXPECT_EQ(Create("a/x", v1::THREADED).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(Exists("x"));
  EXPECT_FALSE(Exists("a/x"));
}

TEST_F(CgroupManagerKernelTest, DomainBesideThreadsIsRefusedWithTheFix) {
  ASSERT_TRUE(Create("root", v1::THREADED_ROOT).ok());
  ASSERT_TRUE(Create("root/x", v1::THREADED).ok());
  EXPECT_TRUE(Says(Create("root/d"), "make this one THREADED, or elsewhere"));
  EXPECT_TRUE(Says(Create("root/x/d"), "make this one THREADED, or elsewhere"));
  EXPECT_EQ(Create("root/r", v1::THREADED_ROOT).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(Exists("root/d"));
}

TEST_F(CgroupManagerKernelTest, DomainMadeInvalidByAStrangersThreadsIsRefused) {
  ASSERT_TRUE(Create("a").ok());
  ASSERT_TRUE(Create("a/sibling").ok());
  ASSERT_TRUE(manager_.Open(Path("a"))->Create("strange")->MakeThreaded().ok());
  EXPECT_EQ(Create("a/d").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(Exists("a/d"));
  EXPECT_EQ(manager_.CheckAcceptsTasks(Path("a/sibling")).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(CgroupManagerKernelTest, OpenedDescriptorIsOneOfItsOwn) {
  ASSERT_TRUE(Create("a").ok());
  const CgroupDir first = manager_.Open(Path("a")).value();
  const CgroupDir second = manager_.Open(Path("a")).value();
  EXPECT_NE(first.fd(), second.fd());
  EXPECT_TRUE(first.IsSameDirectory(second));
}

}  // namespace
}  // namespace muster
