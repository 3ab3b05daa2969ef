#include "daemon/init/namespaced.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/deadline.h"

namespace muster::init {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(30);

[[noreturn]] void Live(const std::function<int()>& body, int output) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) {
    perror("make the namespace");
    _exit(99);
  }
  _exit(body());
}

}  // namespace

Namespaced::Namespaced(const std::function<int()>& body) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) ADD_FAILURE() << "pipe: " << strerror(errno);
  stream_.Reset(ends[0]);
  const UniqueFd writer(ends[1]);
  const long pid = syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | SIGCHLD, nullptr, nullptr, nullptr, 0);
  if (pid == 0) Live(body, writer.get());
  if (pid < 0) {
    ADD_FAILURE() << "make a PID namespace, for which root is needed: " << strerror(errno);
    return;
  }
  absl::StatusOr<Pidfd> process = Pidfd::Open(static_cast<pid_t>(pid));
  EXPECT_TRUE(process.ok()) << process.status();
  if (process.ok()) process_ = *std::move(process);
}

Namespaced::~Namespaced() {
  if (!process_.valid() || reaped_) return;
  Signal(SIGKILL);
  EXPECT_TRUE(process_.Reap(Deadline::After(kPatience)).ok());
}

bool Namespaced::ReadMore(Deadline deadline) {
  pollfd wait = {stream_.get(), POLLIN, 0};
  if (poll(&wait, 1, deadline.PollTimeoutMs()) <= 0) return false;
  char text[4096];
  const ssize_t got = read(stream_.get(), text, sizeof(text));
  output_.append(text, got > 0 ? got : 0);
  return got > 0;
}

bool Namespaced::WaitFor(const std::string& words) {
  const Deadline deadline = Deadline::After(kPatience);
  while (output_.find(words) == std::string::npos) {
    if (!ReadMore(deadline)) return false;
  }
  return true;
}

void Namespaced::Signal(int number) const {
  const absl::Status sent = process_.Signal(number);
  EXPECT_TRUE(sent.ok()) << sent;
}

absl::StatusOr<ProcessEnd> Namespaced::Finish() {
  const Deadline deadline = Deadline::After(kPatience);
  while (ReadMore(deadline)) {
  }
  absl::StatusOr<ProcessEnd> end = process_.Reap(deadline);
  reaped_ = end.ok();
  return end;
}

}  // namespace muster::init
