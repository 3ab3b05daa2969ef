#include "tools/vm/run/leashed_process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/deadline.h"
#include "base/errno_status.h"
#include "base/file_io.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "tools/vm/support/program.h"

namespace muster::vm {
namespace {

constexpr int kKeptFd = 3;
// In the child the pipe that tells of a failed exec.
constexpr int kReportFd = 4;

struct ChildPlan {
  const char* program;
  char* const* argv;
  // For 0 to kReportFd; all of them above kReportFd, or -1.
  int sources[kReportFd + 1];
  pid_t parent;
  bool leashed;
};

// Between fork and exec only async-signal-safe calls; the parent may have threads. Returns errno of what failed.
int BecomeProgram(const ChildPlan& plan) {
  if (plan.leashed) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return errno;
    // It may have ended before that.
    if (getppid() != plan.parent) _exit(127);
  }
  setsid();
  for (int fd = 0; fd <= kReportFd; ++fd) {
    if (plan.sources[fd] >= 0 && dup2(plan.sources[fd], fd) < 0) return errno;
    if (plan.sources[fd] < 0) close(fd);
  }
  fcntl(kReportFd, F_SETFD, FD_CLOEXEC);
  close_range(kReportFd + 1, ~0u, 0);
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execv(plan.program, plan.argv);
  return errno;
}

absl::StatusOr<UniqueFd> CopyHigh(int fd) {
  UniqueFd copy(fcntl(fd, F_DUPFD_CLOEXEC, kReportFd + 1));
  if (!copy.valid()) return ErrnoStatus(errno, absl::StrCat("duplicate descriptor ", fd));
  return copy;
}

// Copies of what the child shall have, out of the way of its final numbers.
absl::StatusOr<std::vector<UniqueFd>> Sources(const LeashOptions& options, int report) {
  ASSIGN_OR_RETURN(const UniqueFd null, OpenAt(AT_FDCWD, "/dev/null", O_RDWR));
  std::vector<UniqueFd> sources;
  for (const int fd : {options.input, options.output, options.error}) {
    ASSIGN_OR_RETURN(UniqueFd copy, CopyHigh(fd >= 0 ? fd : null.get()));
    sources.push_back(std::move(copy));
  }
  UniqueFd kept;
  if (options.kept >= 0) {
    ASSIGN_OR_RETURN(kept, CopyHigh(options.kept));
  }
  sources.push_back(std::move(kept));
  ASSIGN_OR_RETURN(UniqueFd copy, CopyHigh(report));
  sources.push_back(std::move(copy));
  return sources;
}

// 0 when the exec has succeeded, which closes the pipe.
int ReadFailure(int report) {
  int error = 0;
  ssize_t got = 0;
  do {
    got = read(report, &error, sizeof(error));
  } while (got < 0 && errno == EINTR);
  return got == sizeof(error) ? error : 0;
}

}  // namespace

absl::StatusOr<LeashedProcess> LeashedProcess::Spawn(const LeashOptions& options) {
  ASSIGN_OR_RETURN(const std::string program, FindProgram(options.arguments.front()));
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return ErrnoStatus(errno, "make a pipe");
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  ASSIGN_OR_RETURN(std::vector<UniqueFd> sources, Sources(options, writer.get()));
  std::vector<char*> argv;
  for (const std::string& argument : options.arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  ChildPlan plan = {program.c_str(), argv.data(), {}, getpid(), options.leashed};
  for (int fd = 0; fd <= kReportFd; ++fd) plan.sources[fd] = sources[fd].get();
  // Unlike fork, it runs no handlers that a library has registered.
  const pid_t pid = _Fork();
  if (pid < 0) return ErrnoStatus(errno, absl::StrCat("fork for ", program));
  if (pid == 0) {
    const int error = BecomeProgram(plan);
    [[maybe_unused]] const ssize_t told = write(kReportFd, &error, sizeof(error));
    _exit(127);
  }
  writer.Reset();
  sources.clear();
  absl::StatusOr<Pidfd> pidfd = Pidfd::Open(pid);
  const int error = pidfd.ok() ? ReadFailure(reader.get()) : 0;
  if (pidfd.ok() && error == 0) return LeashedProcess(pid, *std::move(pidfd));
  // Our unreaped child: its number is still its own.
  kill(pid, SIGKILL);
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return pidfd.ok() ? ErrnoStatus(error, absl::StrCat("run ", program)) : pidfd.status();
}

bool LeashedProcess::HasEnded() const { return pidfd_.WaitEnd(Deadline::After(absl::ZeroDuration())).ok(); }

void LeashedProcess::Kill() const { pidfd_.Signal(SIGKILL).IgnoreError(); }

LeashedProcess::~LeashedProcess() {
  if (pid_ < 0) return;
  Kill();
  const absl::StatusOr<ProcessEnd> end = pidfd_.Reap(Deadline::After(absl::Seconds(10)));
  if (!end.ok()) LogWarning(absl::StrCat("process ", pid_, " could not be reaped: ", end.status().message()));
}

}  // namespace muster::vm
