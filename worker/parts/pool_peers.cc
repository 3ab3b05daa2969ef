#include "worker/parts/pool_peers.h"

#include <dirent.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/errno_status.h"
#include "base/file_io.h"
#include "base/status_macros.h"

namespace muster {
namespace {

pid_t OwnTid() { return static_cast<pid_t>(syscall(SYS_gettid)); }

absl::StatusOr<std::vector<PoolPeer>> OtherThreads(size_t limit) {
  DIR* const tasks = opendir("/proc/self/task");
  if (tasks == nullptr) return ErrnoStatus(errno, "open /proc/self/task");
  std::vector<PoolPeer> peers;
  while (const dirent* entry = readdir(tasks)) {
    int tid = 0;
    if (peers.size() < limit && absl::SimpleAtoi(entry->d_name, &tid) && tid != OwnTid()) peers.emplace_back(tid);
  }
  closedir(tasks);
  return peers;
}

absl::StatusOr<std::vector<PoolPeer>> OtherChildren(size_t limit) {
  const pid_t parent = getppid();
  ASSIGN_OR_RETURN(const std::string list, ReadFile(absl::StrCat("/proc/", parent, "/task/", parent, "/children")));
  std::vector<PoolPeer> peers;
  for (const absl::string_view word : absl::StrSplit(list, ' ', absl::SkipWhitespace())) {
    int pid = 0;
    if (peers.size() == limit || !absl::SimpleAtoi(word, &pid) || pid == getpid()) continue;
    UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    if (pidfd.valid()) peers.emplace_back(pid, std::move(pidfd));
  }
  return peers;
}

}  // namespace

bool PoolPeer::IsThere() const {
  const long sent = pidfd_.valid() ? syscall(SYS_pidfd_send_signal, pidfd_.get(), 0, nullptr, 0)
                                   : syscall(SYS_tgkill, getpid(), tid_, 0);
  // One that may not be signalled is there.
  return sent == 0 || errno != ESRCH;
}

absl::StatusOr<std::vector<PoolPeer>> FindPoolPeers(bool in_thread, size_t limit) {
  return in_thread ? OtherThreads(limit) : OtherChildren(limit);
}

}  // namespace muster
