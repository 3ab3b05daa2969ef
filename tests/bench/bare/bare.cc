#include "tests/bench/bare/bare.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace muster::bench {

void Say(const char* name, double value) { printf("%s %.9g\n", name, value); }

void Fail(const char* what) {
  fprintf(stderr, "bare: %s: %s\n", what, strerror(errno));
  exit(1);
}

uint64_t Number(const Arguments& arguments, size_t index) {
  if (index >= arguments.size()) {
    fprintf(stderr, "bare: argument %zu is missing\n", index);
    exit(64);
  }
  return strtoull(arguments[index].c_str(), nullptr, 10);
}

void* SharedBytes(size_t bytes) {
  void* const base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (base == MAP_FAILED) Fail("mmap");
  return base;
}

void Wait(const Word& word, uint32_t expected) { syscall(SYS_futex, &word, FUTEX_WAIT, expected, nullptr, nullptr, 0); }

int Wake(const Word& word, uint32_t count) {
  const uint32_t most = count < INT_MAX ? count : INT_MAX;
  return static_cast<int>(syscall(SYS_futex, &word, FUTEX_WAKE, most, nullptr, nullptr, 0));
}

void Children::Make(uint32_t count, const std::function<void(uint32_t)>& live, int cgroup) {
  const pid_t parent = getpid();
  const uint32_t first = pids_.size();
  pids_.resize(first + count);
  for (uint32_t index = 0; index < count; ++index) {
    clone_args args = {};
    args.exit_signal = SIGCHLD;
    if (cgroup >= 0) {
      args.flags = CLONE_INTO_CGROUP;
      args.cgroup = static_cast<uint64_t>(cgroup);
    }
    const long pid = syscall(SYS_clone3, &args, sizeof(args));
    if (pid == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (getppid() == parent) live(index);
      _exit(0);
    }
    if (pid < 0) Fail("clone3");
    pids_[first + index] = static_cast<pid_t>(pid);
  }
}

void Children::KillAndReap() {
  for (const pid_t pid : pids_) {
    if (pid > 0) kill(pid, SIGKILL);
  }
  for (const pid_t pid : pids_) {
    if (pid > 0) waitpid(pid, nullptr, 0);
  }
  pids_.clear();
}

Meeting* Meeting::Make(uint32_t expected) {
  Meeting* const meeting = Shared<Meeting>();
  meeting->expected_ = expected;
  return meeting;
}

void Meeting::Arrive() {
  if (count_.fetch_add(1) + 1 != expected_) return;
  done_.store(1);
  Wake(done_, UINT32_MAX);
}

void Meeting::Await() {
  while (done_.load() == 0) Wait(done_, 0);
}

}  // namespace muster::bench
