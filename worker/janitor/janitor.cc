#include "worker/janitor/janitor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/cgroup_dir.h"
#include "base/file_io.h"
#include "base/instance_tree.h"
#include "base/janitor_protocol.h"
#include "base/log.h"

namespace muster {
namespace {

void Harden() {
  for (int signal_number : {SIGTERM, SIGINT, SIGHUP, SIGPIPE}) signal(signal_number, SIG_IGN);
  // Fails for the leader that it is when it was started as one.
  [[maybe_unused]] const pid_t session = setsid();
  prctl(PR_SET_NAME, "muster-janitor");
  // Whoever ends the daemon for want of memory should not end the janitor with it. Without CAP_SYS_RESOURCE it may.
  WriteFileAt(AT_FDCWD, "/proc/self/oom_score_adj", "-1000").IgnoreError();
}

// True for a good-bye; false when the daemon has died. A peer that dies with unread bytes shows as ECONNRESET.
bool WaitForGoodBye(int socket) {
  while (true) {
    char byte = 0;
    const ssize_t got = read(socket, &byte, 1);
    if (got == 1 && byte == kJanitorGoodBye) return true;
    if (got == 0 || (got < 0 && errno != EINTR)) return false;
  }
}

}  // namespace

int RunJanitor(JanitorDescriptors descriptors, absl::string_view instance) {
  Harden();
  [[maybe_unused]] const ssize_t told = write(descriptors.socket.get(), &kJanitorReady, 1);
  if (WaitForGoodBye(descriptors.socket.get())) return 0;
  const CgroupDir base = CgroupDir::Adopt(std::move(descriptors.base), "base");
  const CgroupDir locked = CgroupDir::Adopt(std::move(descriptors.instance), instance);
  const absl::Status removed = RemoveInstanceTree(base, instance, locked, Deadline::After(kJanitorSweepTime));
  LogWarning(absl::StrCat("janitor: the daemon of instance ", instance, " has died; ",
                          removed.ok() ? "its workload is removed" : removed.message()));
  return removed.ok() ? 0 : 1;
}

int JanitorMain(int argc, char** argv) {
  if (argc != 3 || absl::string_view(argv[1]) != kJanitorFlag || fcntl(kJanitorInstanceFd, F_GETFD) == -1) {
    LogWarning("--janitor is for the daemon to use");
    return 64;
  }
  return RunJanitor({UniqueFd(kJanitorSocketFd), UniqueFd(kJanitorBaseFd), UniqueFd(kJanitorInstanceFd)}, argv[2]);
}

}  // namespace muster
