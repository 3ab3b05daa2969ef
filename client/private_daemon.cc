#include "client/private_daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/errno_status.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "base/unique_fd.h"
#include "client/request_id.h"

namespace muster {
namespace {

// The daemon gives itself 30 s for its own end (shutdown_timeout).
constexpr absl::Duration kStopTimeout = absl::Seconds(40);
constexpr absl::Duration kKillTimeout = absl::Seconds(5);
// Between the end of the ready pipe and the end of a daemon that is going down.
constexpr absl::Duration kExitTimeout = absl::Seconds(2);
// Descriptor of the daemon's end of the ready pipe, in the daemon.
constexpr int kReadyFd = 3;

// A directory of its own around the socket would be left behind by a program that is killed; the daemon removes the
// socket in any case. It has mode 0600 from its first moment.
std::string SocketPath(const std::string& name) {
  // Socket paths are short: a long TMPDIR is no use.
  const char* const temporary = getenv("TMPDIR");
  const bool usable = temporary != nullptr && temporary[0] == '/' && absl::string_view(temporary).size() < 60;
  return absl::StrCat(usable ? temporary : "/tmp", "/muster-", name, ".sock");
}

std::string DescribeEnd(const ProcessEnd& end) {
  return end.signal != 0 ? absl::StrCat("was killed by signal ", end.signal)
                         : absl::StrCat("exited with code ", end.exit_code);
}

struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;
};

absl::StatusOr<Pipe> MakePipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return ErrnoStatus(errno, "make a pipe");
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// A line within the deadline. OUT_OF_RANGE at the end of the file.
absl::StatusOr<std::string> ReadLine(int fd, const Deadline& deadline) {
  constexpr size_t kMaxLine = 4096;
  std::string line;
  while (line.size() < kMaxLine) {
    pollfd entry = {fd, POLLIN, 0};
    const int ready = poll(&entry, 1, deadline.PollTimeoutMs());
    if (ready < 0 && errno != EINTR) return ErrnoStatus(errno, "poll musterd's ready pipe");
    if (ready <= 0 && deadline.Expired())
      return absl::DeadlineExceededError("musterd did not say in time that it serves");
    if (ready <= 0) continue;
    char byte = 0;
    const ssize_t got = read(fd, &byte, 1);
    if (got < 0 && errno != EINTR) return ErrnoStatus(errno, "read musterd's ready pipe");
    if (got == 0) return absl::OutOfRangeError("end of file");
    if (got == 1 && byte == '\n') return line;
    if (got == 1) line.push_back(byte);
  }
  return absl::InternalError("musterd wrote an endless line to its ready pipe");
}

}  // namespace

absl::StatusOr<PrivateDaemon> PrivateDaemon::Start(const PrivateDaemonOptions& options) {
  PrivateDaemon daemon;
  RETURN_IF_ERROR(daemon.Launch(options));
  return daemon;
}

PrivateDaemon::PrivateDaemon(PrivateDaemon&& other) noexcept
    : socket_(std::move(other.socket_)),
      address_(std::move(other.address_)),
      process_(std::exchange(other.process_, {})) {}

PrivateDaemon::~PrivateDaemon() {
  const absl::Status status = Stop();
  if (!status.ok()) LogWarning(status.message());
}

absl::Status PrivateDaemon::Launch(const PrivateDaemonOptions& options) {
  ASSIGN_OR_RETURN(Pipe pipe, MakePipe());
  // Long enough to be nobody else's, short enough to read in a path.
  const std::string name = absl::StrCat("private-", getpid(), "-", NewRequestId().substr(0, 8));
  socket_ = SocketPath(name);
  SpawnOptions spawn;
  spawn.program = options.musterd;
  spawn.arguments = {"musterd",
                     "--listen",
                     absl::StrCat("unix://", socket_),
                     "--instance",
                     name,
                     "--worker-binary",
                     options.worker_binary,
                     "--ready-fd",
                     absl::StrCat(kReadyFd),
                     "--parent-pid",
                     absl::StrCat(getpid()),
                     "--die-with-parent"};
  spawn.arguments.insert(spawn.arguments.end(), options.flags.begin(), options.flags.end());
  const int log_fd = options.log_fd >= 0 ? options.log_fd : STDERR_FILENO;
  spawn.descriptors = {{.child_fd = kReadyFd, .parent_fd = pipe.write_end.get()},
                       {.child_fd = STDOUT_FILENO, .parent_fd = log_fd},
                       {.child_fd = STDERR_FILENO, .parent_fd = log_fd}};
  // Out of the terminal's foreground group: Ctrl-C is for us, and we end the daemon in order.
  spawn.new_session = true;
  ASSIGN_OR_RETURN(process_, SpawnProcess(spawn));
  pipe.write_end.Reset();
  return AwaitReady(pipe.read_end.get(), Deadline::After(options.start_timeout));
}

absl::Status PrivateDaemon::AwaitReady(int ready_fd, const Deadline& deadline) {
  absl::StatusOr<std::string> line = ReadLine(ready_fd, deadline);
  if (absl::IsOutOfRange(line.status())) {
    const absl::StatusOr<ProcessEnd> end = process_.pidfd.Reap(Deadline::After(kExitTimeout));
    if (!end.ok()) return absl::UnavailableError("musterd closed its ready pipe without a word");
    process_ = SpawnedProcess();
    return absl::UnavailableError(absl::StrCat("musterd ", DescribeEnd(*end), " before it served; its log says why"));
  }
  RETURN_IF_ERROR(line.status());
  absl::string_view address = *line;
  if (!absl::ConsumePrefix(&address, "READY ")) {
    return absl::InternalError(absl::StrCat("musterd wrote \"", *line, "\" to its ready pipe, not READY <address>"));
  }
  address_ = std::string(address);
  return absl::OkStatus();
}

absl::Status PrivateDaemon::Stop() {
  const SpawnedProcess process = std::exchange(process_, {});
  if (process.pid <= 0) return absl::OkStatus();
  RETURN_IF_ERROR(process.pidfd.Signal(SIGTERM));
  absl::StatusOr<ProcessEnd> end = process.pidfd.Reap(Deadline::After(kStopTimeout));
  const bool late = absl::IsDeadlineExceeded(end.status());
  if (late) {
    RETURN_IF_ERROR(process.pidfd.Signal(SIGKILL));
    end = process.pidfd.Reap(Deadline::After(kKillTimeout));
  }
  // The daemon removes it; one that was killed did not.
  unlink(socket_.c_str());
  if (!end.ok()) return absl::InternalError(absl::StrCat("end of the private musterd: ", end.status().message()));
  if (late) return absl::DeadlineExceededError("the private musterd did not end in time and was killed");
  if (end->ok()) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("the private musterd ", DescribeEnd(*end), " when it was ended"));
}

}  // namespace muster
