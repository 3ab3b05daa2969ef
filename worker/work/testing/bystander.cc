#include "worker/work/testing/bystander.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/file_io.h"
#include "base/unique_fd.h"

namespace muster {
namespace {

// Lines of /proc/PID/status that say what others did; proc(5).
bool IsAnothersDoing(absl::string_view line) {
  for (const char* field : {"SigPnd:", "ShdPnd:", "Cpus_allowed_list:", "Mems_allowed_list:"}) {
    if (absl::StartsWith(line, field)) return true;
  }
  // Stopped; else the state changes by itself.
  return absl::StartsWith(line, "State:\tT");
}

[[noreturn]] void Stand(int told_fd) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  const pid_t own = getpid();
  [[maybe_unused]] const ssize_t told = write(told_fd, &own, sizeof(own));
  while (true) pause();
}

[[noreturn]] void Keep(int told_fd) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const pid_t child = fork();
  if (child == 0) Stand(told_fd);
  waitpid(child, nullptr, 0);
  _exit(0);
}

}  // namespace

std::string TaskState(pid_t task) {
  const std::string directory = absl::StrCat("/proc/", task);
  const absl::StatusOr<std::string> status = ReadFile(directory + "/status");
  const absl::StatusOr<std::string> cgroup = ReadFile(directory + "/cgroup");
  sched_param param = {};
  if (!status.ok() || !cgroup.ok() || sched_getparam(task, &param) != 0) return "";
  std::string state = absl::StrCat("policy ", sched_getscheduler(task), " priority ", param.sched_priority, " nice ",
                                   getpriority(PRIO_PROCESS, static_cast<id_t>(task)), "\n", *cgroup);
  for (const absl::string_view line : absl::StrSplit(*status, '\n')) {
    if (IsAnothersDoing(line)) absl::StrAppend(&state, line, "\n");
  }
  return state;
}

Bystander::Bystander() {
  int ends[2];
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  keeper_ = fork();
  if (keeper_ == 0) Keep(write_end.get());
  write_end.Reset();
  EXPECT_EQ(read(read_end.get(), &pid_, sizeof(pid_)), static_cast<ssize_t>(sizeof(pid_)));
  before_ = TaskState(pid_);
  own_before_ = TaskState(getpid());
  EXPECT_NE(before_, "");
}

Bystander::~Bystander() {
  // Its keeper is its only reaper, and waits for nothing else: while that lives, the number is its own.
  if (pid_ > 0 && waitpid(keeper_, nullptr, WNOHANG) == keeper_) return;
  if (pid_ > 0) kill(pid_, SIGKILL);
  waitpid(keeper_, nullptr, 0);
}

void Bystander::MoveTo(const CgroupDir& dir) {
  const absl::Status moved = dir.WriteFile("cgroup.procs", absl::StrCat(pid_));
  EXPECT_TRUE(moved.ok()) << moved;
  before_ = TaskState(pid_);
}

std::string Bystander::Change() const {
  const std::string now = TaskState(pid_);
  const std::string own_now = TaskState(getpid());
  std::string change;
  if (now != before_) absl::StrAppend(&change, "the bystander was\n", before_, "and is\n", now);
  if (own_now != own_before_) absl::StrAppend(&change, "the test was\n", own_before_, "and is\n", own_now);
  return change;
}

}  // namespace muster
