#include "tests/support/test_daemon.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/cgroup_mounts.h"
#include "base/errno_status.h"
#include "base/file_io.h"
#include "base/status_macros.h"

namespace muster {
namespace {

// Sanitized daemons on a busy machine start slowly.
constexpr absl::Duration kStartTimeout = absl::Seconds(60);
// In the daemon.
constexpr int kReadyFd = 9;
constexpr int kFirstSocketFd = 3;

absl::Status CopyProgram(const std::string& from, const std::string& to) {
  std::error_code error;
  std::filesystem::copy_file(from, to, error);
  if (error) return absl::InternalError(absl::StrCat("copying ", from, " to ", to, ": ", error.message()));
  return absl::OkStatus();
}

// The addresses in the lines that the daemon writes when it serves.
absl::StatusOr<std::vector<std::string>> ReadAddresses(int fd, Deadline deadline) {
  std::string text;
  ssize_t got = 0;
  do {
    pollfd wait = {fd, POLLIN, 0};
    if (poll(&wait, 1, deadline.PollTimeoutMs()) <= 0) return absl::DeadlineExceededError("musterd does not serve");
    char bytes[256];
    got = read(fd, bytes, sizeof(bytes));
    if (got < 0) return ErrnoStatus(errno, "reading musterd's ready lines");
    text.append(bytes, got);
  } while (got > 0);
  if (text.empty()) return absl::UnavailableError("musterd ended before it served");
  std::vector<std::string> addresses;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    if (!absl::ConsumePrefix(&line, "READY ")) return absl::InternalError(absl::StrCat("musterd said \"", line, "\""));
    addresses.emplace_back(line);
  }
  return addresses;
}

std::vector<pid_t> AllProcesses() {
  std::vector<pid_t> pids;
  DIR* proc = opendir("/proc");
  if (proc == nullptr) return pids;
  while (const dirent* entry = readdir(proc)) {
    pid_t pid;
    if (absl::SimpleAtoi(entry->d_name, &pid)) pids.push_back(pid);
  }
  closedir(proc);
  return pids;
}

std::string ExecutableOf(pid_t pid) {
  char path[4096];
  const ssize_t length = readlink(absl::StrCat("/proc/", pid, "/exe").c_str(), path, sizeof(path));
  return length > 0 ? std::string(path, length) : std::string();
}

// Directories below `path`.
std::vector<std::string> Children(const std::string& path) {
  std::vector<std::string> children;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
    std::error_code ignored;
    if (entry.is_directory(ignored)) children.push_back(entry.path());
  }
  return children;
}

// The test's own, and what the options add; LISTEN_PID is the shell's matter.
std::vector<std::string> Environment(const TestDaemonOptions& options) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) all.emplace_back(*entry);
  all.insert(all.end(), options.environment.begin(), options.environment.end());
  if (!options.sockets.empty()) all.push_back(absl::StrCat("LISTEN_FDS=", options.sockets.size()));
  return all;
}

absl::Status WaitForEnd(pid_t pid, Deadline deadline) {
  absl::StatusOr<Pidfd> pidfd = Pidfd::Open(pid);
  if (!pidfd.ok()) return absl::OkStatus();
  const absl::Status ended = pidfd->WaitEnd(deadline);
  if (ended.ok()) return ended;
  const std::string command = ReadFile(absl::StrCat("/proc/", pid, "/cmdline")).value_or("?");
  return absl::InternalError(
      absl::StrCat("process ", pid, " is left: ", absl::StrJoin(absl::StrSplit(command, '\0'), " ")));
}

}  // namespace

absl::StatusOr<std::unique_ptr<TestDaemon>> TestDaemon::Start(const TestDaemonOptions& options) {
  std::unique_ptr<TestDaemon> daemon(new TestDaemon);
  // Short: a unix socket's path has at most 107 bytes.
  std::string directory = "/tmp/muster-test-XXXXXX";
  if (mkdtemp(directory.data()) == nullptr) return ErrnoStatus(errno, "mkdtemp");
  daemon->directory_ = directory;
  daemon->ended_ = true;
  daemon->instance_ = absl::StrCat("test-", getpid(), "-", options.name);
  const std::string worker = absl::StrCat(directory, "/worker");
  RETURN_IF_ERROR(CopyProgram(options.worker_binary, worker));
  ASSIGN_OR_RETURN(const std::string mount, FindCgroup2Mount(ReadFile("/proc/self/mountinfo").value_or("")));
  daemon->instance_cgroup_ = absl::StrCat(mount, "/muster/", daemon->instance_);

  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return ErrnoStatus(errno, "pipe2");
  const UniqueFd ready(ends[0]);
  UniqueFd ready_writer(ends[1]);
  SpawnOptions spawn;
  // A shell in between only for the sockets: they are for the process of its number, which nobody else knows before.
  spawn.program = options.sockets.empty() ? options.musterd : "/bin/sh";
  spawn.environment = Environment(options);
  if (!options.sockets.empty()) spawn.arguments = {"sh", "-c", "LISTEN_PID=$$ exec \"$0\" \"$@\""};
  for (const std::string& argument :
       {options.musterd, absl::StrCat("--listen=unix://", directory, "/socket"),
        absl::StrCat("--instance=", daemon->instance_), absl::StrCat("--worker-binary=", worker),
        absl::StrCat("--ready-fd=", kReadyFd)}) {
    spawn.arguments.push_back(argument);
  }
  spawn.arguments.insert(spawn.arguments.end(), options.flags.begin(), options.flags.end());
  spawn.descriptors = {{kReadyFd, ready_writer.get()}};
  for (size_t i = 0; i < options.sockets.size(); ++i) {
    spawn.descriptors.push_back({kFirstSocketFd + static_cast<int>(i), options.sockets[i]});
  }
  ASSIGN_OR_RETURN(daemon->process_, SpawnProcess(spawn));
  daemon->ended_ = false;
  ready_writer.Reset();
  ASSIGN_OR_RETURN(daemon->addresses_, ReadAddresses(ready.get(), Deadline::After(kStartTimeout)));
  return daemon;
}

TestDaemon::~TestDaemon() {
  const Deadline deadline = Deadline::After(absl::Seconds(20));
  if (!ended_) (void)End(SIGKILL, deadline);
  // The janitor needs the worker binary's text, not its name; the directory may go before it.
  const absl::Status left = WaitUntilNothingIsLeft(deadline);
  if (!left.ok()) fprintf(stderr, "after the test: %s\n", left.ToString().c_str());
  std::error_code error;
  std::filesystem::remove_all(directory_, error);
}

absl::StatusOr<ProcessEnd> TestDaemon::End(int signal_number, Deadline deadline) {
  RETURN_IF_ERROR(process_.pidfd.Signal(signal_number));
  ASSIGN_OR_RETURN(const ProcessEnd end, process_.pidfd.Reap(deadline));
  ended_ = true;
  return end;
}

std::vector<pid_t> TestDaemon::WorkerProcesses() const {
  std::vector<pid_t> mine;
  for (pid_t pid : AllProcesses()) {
    if (absl::StartsWith(ExecutableOf(pid), absl::StrCat(directory_, "/worker"))) mine.push_back(pid);
  }
  return mine;
}

std::vector<pid_t> TestDaemon::WorkerProcessesWith(const std::string& argument) const {
  std::vector<pid_t> found;
  for (pid_t pid : WorkerProcesses()) {
    const std::string command = ReadFile(absl::StrCat("/proc/", pid, "/cmdline")).value_or("");
    for (absl::string_view word : absl::StrSplit(command, '\0')) {
      if (word == argument) {
        found.push_back(pid);
        break;
      }
    }
  }
  return found;
}

absl::Status TestDaemon::WaitUntilNothingIsLeft(Deadline deadline) const {
  for (std::vector<pid_t> left = WorkerProcesses(); !left.empty(); left = WorkerProcesses()) {
    RETURN_IF_ERROR(WaitForEnd(left.front(), deadline));
  }
  if (!WaitUntilGone(instance_cgroup_, deadline)) {
    return absl::InternalError(absl::StrCat("cgroup ", instance_cgroup_, " is left"));
  }
  return absl::OkStatus();
}

absl::Status TestDaemon::WaitUntilIdle(Deadline deadline) const {
  while (true) {
    const std::vector<pid_t> janitors = WorkerProcessesWith("--janitor");
    const std::vector<pid_t> all = WorkerProcesses();
    if (all.size() <= janitors.size()) break;
    for (pid_t pid : all) {
      if (std::find(janitors.begin(), janitors.end(), pid) == janitors.end())
        RETURN_IF_ERROR(WaitForEnd(pid, deadline));
    }
  }
  for (const std::string& child : Children(CgroupPath(""))) {
    if (!WaitUntilGone(child, deadline)) return absl::InternalError(absl::StrCat("cgroup ", child, " is left"));
  }
  return absl::OkStatus();
}

std::string TestDaemon::CgroupPath(const std::string& name) const {
  return absl::StrCat(instance_cgroup_, "/workload", name.empty() ? "" : "/", name);
}

bool WaitUntilGone(const std::string& path, Deadline deadline) {
  const UniqueFd notify(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  const std::string parent = std::filesystem::path(path).parent_path();
  // The watch stands before the first look, so no removal is missed.
  inotify_add_watch(notify.get(), parent.c_str(), IN_DELETE | IN_DELETE_SELF | IN_MOVED_FROM);
  while (access(path.c_str(), F_OK) == 0) {
    pollfd wait = {notify.get(), POLLIN, 0};
    if (deadline.Expired() || poll(&wait, 1, deadline.PollTimeoutMs()) == 0) return access(path.c_str(), F_OK) != 0;
    char events[4096];
    [[maybe_unused]] const ssize_t got = read(notify.get(), events, sizeof(events));
  }
  return true;
}

}  // namespace muster
