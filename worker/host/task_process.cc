#include "worker/host/task_process.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "base/errno_status.h"
#include "base/status_macros.h"

namespace muster::host {
namespace {

void Interrupt(int) {}

void SetHandler(int signal_number, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;  // without SA_RESTART: blocking calls return EINTR
  sigaction(signal_number, &action, nullptr);
}

}  // namespace

void DieWithHost(pid_t host) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // It may have died before: then somebody else is the parent by now.
  if (getppid() != host) _exit(0);
}

void SetTaskHandlers() {
  SetHandler(SIGUSR1, Interrupt);
  SetHandler(SIGPIPE, SIG_IGN);
}

void BecomeTaskProcess(pid_t host) {
  DieWithHost(host);
  setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

void KeepDescriptors(const std::vector<int>& keep) {
  unsigned next = STDERR_FILENO + 1;
  for (const int fd : keep) {
    if (fd < static_cast<int>(next)) continue;
    if (fd > static_cast<int>(next)) close_range(next, fd - 1, 0);
    next = fd + 1;
  }
  close_range(next, ~0u, 0);
}

bool HasDescriptors(const Plumbing& plumbing) { return !plumbing.pipes.empty() || !plumbing.descriptors.empty(); }

void AppendDescriptors(const Plumbing& plumbing, std::vector<int>* descriptors) {
  for (const Plumbing::Pipe& pipe : plumbing.pipes) {
    descriptors->push_back(pipe.read_end.get());
    descriptors->push_back(pipe.write_end.get());
  }
  for (const UniqueFd& fd : plumbing.descriptors) descriptors->push_back(fd.get());
}

absl::StatusOr<std::byte*> MapOwnParts(int arena_fd, const arena::Range& parts) {
  void* base = mmap(nullptr, parts.bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, arena_fd, parts.offset);
  if (base == MAP_FAILED) return ErrnoStatus(errno, absl::StrCat("mmap of ", parts.bytes, " bytes of the arena"));
  return static_cast<std::byte*>(base);
}

}  // namespace muster::host
