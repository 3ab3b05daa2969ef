#include "base/cgroup_testing.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <atomic>

#include "absl/strings/str_cat.h"
#include "base/cgroup_mounts.h"
#include "base/file_io.h"

namespace muster {
namespace {

[[noreturn]] void RunChild(const std::function<void()>& body, int ready) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (body) {
    body();
  } else {
    if (ready > 3) close_range(3, ready - 1, 0);
    close_range(ready + 1, ~0u, 0);
  }
  [[maybe_unused]] const ssize_t told = write(ready, "r", 1);
  while (true) pause();
}

}  // namespace

std::string UniqueCgroupName() {
  static std::atomic<int> count{0};
  return absl::StrCat("muster-test-", getpid(), "-", ++count);
}

std::string TestCgroupMount() {
  const absl::StatusOr<std::string> mount = FindCgroup2Mount(ReadFile("/proc/self/mountinfo").value());
  EXPECT_TRUE(mount.ok()) << mount.status();
  return mount.value();
}

ScratchCgroup::ScratchCgroup()
    : mount_(CgroupDir::OpenPath(TestCgroupMount()).value()),
      name_(UniqueCgroupName()),
      dir_(mount_.CreateNew(name_).value()) {}

ScratchCgroup::~ScratchCgroup() {
  const absl::StatusOr<int> removed = RemoveCgroupTree(mount_, name_, Deadline::After(absl::Seconds(10)));
  EXPECT_TRUE(removed.ok()) << removed.status();
}

std::string ScratchCgroup::path() const { return absl::StrCat(mount_.label(), "/", name_); }

TestChild::TestChild() : TestChild(std::function<void()>()) {}

TestChild::TestChild(std::function<void()> body) {
  int ends[2];
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  pid_ = fork();
  if (pid_ == 0) RunChild(body, write_end.get());
  write_end.Reset();
  char byte = 0;
  EXPECT_EQ(read(read_end.get(), &byte, 1), 1) << "the child died before it was ready";
  pidfd_ = Pidfd::Open(pid_).value();
}

TestChild::~TestChild() {
  [[maybe_unused]] const absl::Status killed = pidfd_.Signal(SIGKILL);
  const absl::StatusOr<ProcessEnd> end = pidfd_.Reap(Deadline::After(absl::Seconds(10)));
  EXPECT_TRUE(end.ok()) << end.status();
}

bool TestChild::HasEnded() const { return pidfd_.WaitEnd(Deadline::After(absl::ZeroDuration())).ok(); }

bool TestChild::Ends() const { return pidfd_.WaitEnd(Deadline::After(absl::Seconds(10))).ok(); }

void TestChild::MoveTo(const CgroupDir& dir) const {
  const absl::Status moved = dir.WriteFile("cgroup.procs", absl::StrCat(pid_));
  EXPECT_TRUE(moved.ok()) << moved;
}

}  // namespace muster
