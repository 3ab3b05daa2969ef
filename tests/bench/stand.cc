#include "tests/bench/stand.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/cgroup_mounts.h"
#include "base/clock.h"
#include "base/errno_status.h"
#include "base/error_detail.h"
#include "base/file_io.h"
#include "base/log.h"
#include "base/spawn_process.h"
#include "base/status_macros.h"

namespace muster::bench {
namespace {

constexpr absl::Duration kProgramTimeout = absl::Minutes(3);
constexpr absl::Duration kEmptyTimeout = absl::Seconds(10);

std::string FindOnPath(const std::string& program) {
  if (program.find('/') != std::string::npos) return program;
  const char* const path = getenv("PATH");
  for (absl::string_view folder : absl::StrSplit(path == nullptr ? "" : path, ':', absl::SkipEmpty())) {
    std::string candidate = absl::StrCat(folder, "/", program);
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return "";
}

std::string ReadBack(int fd) {
  std::string text;
  char bytes[4096];
  off_t at = 0;
  for (ssize_t got = 0; (got = pread(fd, bytes, sizeof(bytes), at)) > 0; at += got) text.append(bytes, got);
  return text;
}

// Variables that are set as long as this lives.
class Environment {
 public:
  explicit Environment(const std::vector<std::string>& variables) {
    for (const std::string& variable : variables) {
      const std::pair<std::string, std::string> parts = absl::StrSplit(variable, absl::MaxSplits('=', 1));
      setenv(parts.first.c_str(), parts.second.c_str(), 1);
      names_.push_back(parts.first);
    }
  }
  ~Environment() {
    for (const std::string& name : names_) unsetenv(name.c_str());
  }

 private:
  std::vector<std::string> names_;
};

}  // namespace

void SleepMs(uint64_t ms) {
  const timespec time = ToTimespec(ms * 1'000'000);
  nanosleep(&time, nullptr);
}

absl::StatusOr<std::unique_ptr<Bench>> Bench::Open(const Programs& programs, const std::vector<std::string>& flags,
                                                   const std::vector<std::string>& environment) {
  std::unique_ptr<Bench> bench(new Bench());
  PrivateDaemonOptions options;
  options.musterd = programs.musterd;
  options.worker_binary = programs.worker;
  options.flags = flags;
  const UniqueFd log(memfd_create("bench-log", MFD_CLOEXEC));
  options.log_fd = log.get();
  {
    const Environment set(environment);
    absl::StatusOr<PrivateDaemon> daemon = PrivateDaemon::Start(options);
    if (!daemon.ok()) return Annotate(daemon.status(), ReadBack(log.get()));
    bench->daemon_ = std::make_unique<PrivateDaemon>(*std::move(daemon));
  }
  if (programs.precedence) RETURN_IF_ERROR(GivePrecedence(bench->daemon_->pid()));
  ASSIGN_OR_RETURN(Client client, Client::Connect(bench->address()));
  ASSIGN_OR_RETURN(const v1::GetServerInfoResponse info, client.ServerInfo());
  bench->client_ = std::make_unique<Client>(std::move(client));
  bench->workload_root_ = info.workload_root();
  return bench;
}

absl::StatusOr<ProgramOutput> RunProgram(const std::vector<std::string>& arguments) {
  SpawnOptions options;
  options.program = FindOnPath(arguments[0]);
  if (options.program.empty()) return absl::NotFoundError(absl::StrCat(arguments[0], " is not installed"));
  options.arguments = arguments;
  const UniqueFd out(memfd_create("bench-out", MFD_CLOEXEC));
  const UniqueFd err(memfd_create("bench-err", MFD_CLOEXEC));
  options.descriptors = {{.child_fd = STDOUT_FILENO, .parent_fd = out.get()},
                         {.child_fd = STDERR_FILENO, .parent_fd = err.get()}};
  const uint64_t began_ns = MonotonicNs();
  ASSIGN_OR_RETURN(const SpawnedProcess process, SpawnProcess(options));
  absl::StatusOr<ProcessEnd> end = process.pidfd.Reap(Deadline::After(kProgramTimeout));
  if (!end.ok()) {
    (void)process.pidfd.Signal(SIGKILL);
    (void)process.pidfd.Reap(Deadline::After(absl::Seconds(5)));
    return end.status();
  }
  ProgramOutput output;
  output.took_s = static_cast<double>(MonotonicNs() - began_ns) * 1e-9;
  output.text = ReadBack(out.get()) + ReadBack(err.get());
  if (!end->ok())
    return absl::InternalError(absl::StrCat(arguments[0], " ended with ", end->exit_code, ": ", output.text));
  return output;
}

absl::StatusOr<Values> RunBare(const Programs& programs, const std::vector<std::string>& arguments,
                               const std::string& prefix) {
  std::vector<std::string> all = {programs.bare};
  all.insert(all.end(), arguments.begin(), arguments.end());
  ASSIGN_OR_RETURN(const ProgramOutput output, RunProgram(all));
  Values values;
  for (absl::string_view line : absl::StrSplit(output.text, '\n', absl::SkipEmpty())) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(line, absl::MaxSplits(' ', 1));
    double number = 0;
    if (absl::SimpleAtod(parts.second, &number)) values[absl::StrCat(prefix, parts.first)] = number;
  }
  if (values.empty())
    return absl::InternalError(absl::StrCat("bare ", arguments[0], " printed no number: ", output.text));
  return values;
}

absl::StatusOr<Values> RunBareAmongWorkers(const Programs& programs, const Bench& bench,
                                           const std::vector<std::string>& arguments) {
  ASSIGN_OR_RETURN(const std::unique_ptr<OwnCgroup> cgroup, OwnCgroup::MakeIn(bench.workload_root(), "loop"));
  std::vector<std::string> all = {"in", cgroup->path()};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return RunBare(programs, all);
}

absl::Status CheckAmongWorkers(const Bench& bench, absl::string_view worker_cgroup) {
  // The one is the kernel's path of a cgroup, the other that of its directory.
  if (absl::EndsWith(bench.workload_root(), worker_cgroup.substr(0, worker_cgroup.rfind('/')))) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("a worker lived in ", worker_cgroup, ", which is not in ",
                                          bench.workload_root(), " as the bare loops are"));
}

absl::StatusOr<std::unique_ptr<OwnCgroup>> OwnCgroup::Make(const std::string& name) {
  ASSIGN_OR_RETURN(const std::string mountinfo, ReadFile("/proc/self/mountinfo"));
  ASSIGN_OR_RETURN(const std::string mount, FindCgroup2Mount(mountinfo));
  return MakeIn(mount, name);
}

absl::StatusOr<std::unique_ptr<OwnCgroup>> OwnCgroup::MakeIn(const std::string& parent, const std::string& name) {
  std::string path = absl::StrCat(parent, "/muster-bench-", getpid(), "-", name);
  if (mkdir(path.c_str(), 0755) != 0) return ErrnoStatus(errno, absl::StrCat("mkdir ", path));
  return std::unique_ptr<OwnCgroup>(new OwnCgroup(std::move(path)));
}

OwnCgroup::~OwnCgroup() {
  // Dead members leave it a little later than they are reaped.
  const Deadline deadline = Deadline::After(kEmptyTimeout);
  while (rmdir(path_.c_str()) != 0) {
    if (errno != EBUSY || deadline.Expired()) {
      LogWarning(ErrnoStatus(errno, absl::StrCat("rmdir ", path_)).message());
      return;
    }
    SleepMs(1);
  }
}

absl::Status GivePrecedence(pid_t pid) {
  return WriteFileAt(AT_FDCWD, absl::StrCat("/proc/", pid, "/autogroup"), "-20");
}

absl::Status TakePrecedence() {
  // A leader of a process group cannot make a session; its present one does as well.
  setsid();
  return GivePrecedence(getpid());
}

}  // namespace muster::bench
