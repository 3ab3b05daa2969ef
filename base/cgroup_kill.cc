// Ending what lives in a cgroup, and removing trees.
#include <fcntl.h>
#include <signal.h>

#include <map>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/cgroup_dir.h"
#include "base/file_io.h"
#include "base/pidfd.h"
#include "base/status_macros.h"

namespace muster {
namespace {

constexpr absl::Duration kKillAgainAfter = absl::Milliseconds(50);

bool IsGone(const absl::Status& status) { return status.code() == absl::StatusCode::kNotFound; }

// The process that thread `tid` belongs to, 0 when the thread is gone.
pid_t ProcessOf(pid_t tid) {
  const absl::StatusOr<std::string> text = ReadFile(absl::StrCat("/proc/", tid, "/status"));
  if (!text.ok()) return 0;
  for (absl::string_view line : absl::StrSplit(*text, '\n')) {
    const std::pair<absl::string_view, absl::string_view> field = absl::StrSplit(line, absl::MaxSplits(':', 1));
    pid_t process = 0;
    if (field.first == "Tgid" && absl::SimpleAtoi(field.second, &process)) return process;
  }
  return 0;
}

// Which process each thread of a threaded cgroup and of those below belongs to.
absl::Status CollectThreads(const CgroupDir& dir, std::map<pid_t, pid_t>* process_of) {
  ASSIGN_OR_RETURN(const std::vector<pid_t> threads, dir.ReadThreads());
  for (pid_t tid : threads) {
    if (const pid_t process = ProcessOf(tid); process > 0) (*process_of)[tid] = process;
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> children, dir.Children());
  for (const std::string& name : children) {
    const absl::StatusOr<CgroupDir> child = dir.Open(name);
    const absl::Status collected = child.ok() ? CollectThreads(*child, process_of) : child.status();
    if (!collected.ok() && !IsGone(collected)) return collected;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::set<pid_t>> ThreadedProcesses(const CgroupDir& dir) {
  std::map<pid_t, pid_t> process_of;
  RETURN_IF_ERROR(CollectThreads(dir, &process_of));
  std::set<pid_t> processes;
  for (const auto& [tid, process] : process_of) processes.insert(process);
  return processes;
}

// The kernel refuses cgroup.kill in threaded cgroups, since killing is a matter of processes; cgroups(7) of Linux 5.14.
absl::Status KillThreaded(const CgroupDir& dir) {
  ASSIGN_OR_RETURN(const std::set<pid_t> processes, ThreadedProcesses(dir));
  std::map<pid_t, Pidfd> held;
  for (pid_t process : processes) {
    absl::StatusOr<Pidfd> pidfd = Pidfd::Open(process);
    if (pidfd.ok()) held.emplace(process, *std::move(pidfd));
  }
  // A second look: only a process that still has a thread here is the one that its number was read for.
  ASSIGN_OR_RETURN(const std::set<pid_t> still_here, ThreadedProcesses(dir));
  for (const auto& [process, pidfd] : held) {
    if (still_here.count(process) == 0) continue;
    const absl::Status sent = pidfd.Signal(SIGKILL);
    if (!sent.ok() && !IsGone(sent)) return sent;
  }
  return absl::OkStatus();
}

bool IsThreaded(const CgroupDir& dir) {
  const absl::StatusOr<std::string> type = dir.Type();
  return type.ok() && *type == "threaded";
}

// Processes with a task here or below that can still be killed.
absl::Status CollectProcesses(const CgroupDir& dir, std::set<pid_t>* processes) {
  if (IsThreaded(dir)) {
    ASSIGN_OR_RETURN(const std::set<pid_t> threaded, ThreadedProcesses(dir));
    processes->insert(threaded.begin(), threaded.end());
    return absl::OkStatus();
  }
  absl::StatusOr<std::vector<pid_t>> own = dir.ReadProcs();
  // In state "domain invalid" nothing can live.
  if (own.ok()) processes->insert(own->begin(), own->end());
  ASSIGN_OR_RETURN(const std::vector<std::string> children, dir.Children());
  for (const std::string& name : children) {
    const absl::StatusOr<CgroupDir> child = dir.Open(name);
    const absl::Status collected = child.ok() ? CollectProcesses(*child, processes) : child.status();
    if (!collected.ok() && !IsGone(collected)) return collected;
  }
  return absl::OkStatus();
}

absl::Status ThawTree(const CgroupDir& dir) {
  RETURN_IF_ERROR(dir.Thaw());
  ASSIGN_OR_RETURN(const std::vector<std::string> children, dir.Children());
  for (const std::string& name : children) {
    const absl::StatusOr<CgroupDir> child = dir.Open(name);
    const absl::Status thawed = child.ok() ? ThawTree(*child) : child.status();
    if (!thawed.ok() && !IsGone(thawed)) return thawed;
  }
  return absl::OkStatus();
}

absl::Status RemoveEmptyTree(const CgroupDir& parent, absl::string_view name) {
  {
    ASSIGN_OR_RETURN(const CgroupDir dir, parent.Open(name));
    ASSIGN_OR_RETURN(const std::vector<std::string> children, dir.Children());
    for (const std::string& child : children) {
      const absl::Status removed = RemoveEmptyTree(dir, child);
      if (!removed.ok() && !IsGone(removed)) return removed;
    }
  }
  return parent.RemoveEmpty(name);
}

absl::Status KillAndWait(const CgroupDir& dir, Deadline deadline) {
  RETURN_IF_ERROR(ThawTree(dir));
  while (true) {
    ASSIGN_OR_RETURN(const bool populated, dir.Populated());
    if (!populated) return absl::OkStatus();
    RETURN_IF_ERROR(dir.Kill());
    // Again after a while: in a threaded cgroup a process may have forked while it was being killed one by one.
    const absl::Status waited = dir.WaitUnpopulated(Earlier(deadline, Deadline::After(kKillAgainAfter)));
    if (waited.ok() || deadline.Expired()) return waited;
  }
}

}  // namespace

absl::Status CgroupDir::Kill() const {
  if (IsThreaded(*this)) return KillThreaded(*this);
  return WriteFile("cgroup.kill", "1");
}

absl::StatusOr<int> RemoveCgroupTree(const CgroupDir& parent, absl::string_view name, Deadline deadline) {
  std::set<pid_t> killed;
  while (true) {
    absl::StatusOr<CgroupDir> dir = parent.Open(name);
    absl::Status status = dir.status();
    if (status.ok()) status = CollectProcesses(*dir, &killed);
    if (status.ok()) status = KillAndWait(*dir, deadline);
    if (status.ok()) status = RemoveEmptyTree(parent, name);
    if (status.ok() || IsGone(status)) return static_cast<int>(killed.size());
    // EBUSY: something was born or made here since we looked; kill it too, while there is time.
    if (status.code() != absl::StatusCode::kFailedPrecondition || deadline.Expired()) return status;
  }
}

}  // namespace muster
