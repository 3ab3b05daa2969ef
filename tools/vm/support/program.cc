#include "tools/vm/support/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/deadline.h"
#include "base/errno_status.h"
#include "base/spawn_process.h"
#include "base/status_macros.h"
#include "base/unique_fd.h"

namespace muster::vm {
namespace {

constexpr size_t kErrorTail = 2000;

struct Pipe {
  UniqueFd reader;
  UniqueFd writer;
};

absl::StatusOr<Pipe> MakePipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return ErrnoStatus(errno, "make a pipe");
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// Our ends of a program's standard streams, and what went through them.
struct Streams {
  UniqueFd input;
  UniqueFd output;
  UniqueFd error;
  absl::string_view to_write;
  std::string out;
  std::string err;
};

void Feed(Streams* streams) {
  const ssize_t done = write(streams->input.get(), streams->to_write.data(), streams->to_write.size());
  if (done > 0) streams->to_write.remove_prefix(done);
  const bool broken = done < 0 && errno != EINTR && errno != EAGAIN;
  // A program that needs no more of its input closes it: not our failure.
  if (broken || streams->to_write.empty()) streams->input.Reset();
}

void Drain(UniqueFd* from, std::string* into) {
  char buffer[65536];
  const ssize_t got = read(from->get(), buffer, sizeof(buffer));
  if (got > 0) into->append(buffer, got);
  if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) from->Reset();
}

absl::Status Pump(Deadline deadline, Streams* streams) {
  if (streams->to_write.empty()) streams->input.Reset();
  while (streams->output.valid() || streams->error.valid()) {
    pollfd waits[] = {
        {streams->input.get(), POLLOUT, 0}, {streams->output.get(), POLLIN, 0}, {streams->error.get(), POLLIN, 0}};
    const int ready = poll(waits, 3, deadline.PollTimeoutMs());
    if (ready < 0 && errno != EINTR) return ErrnoStatus(errno, "wait for a program's output");
    if (deadline.Expired()) return absl::DeadlineExceededError("no end of its output in time");
    if (ready <= 0) continue;
    if (waits[0].revents != 0) Feed(streams);
    if (waits[1].revents != 0) Drain(&streams->output, &streams->out);
    if (waits[2].revents != 0) Drain(&streams->error, &streams->err);
  }
  streams->input.Reset();
  return absl::OkStatus();
}

absl::StatusOr<SpawnedProcess> Spawn(const ProgramCall& call, Streams* streams) {
  ASSIGN_OR_RETURN(Pipe input, MakePipe());
  ASSIGN_OR_RETURN(Pipe output, MakePipe());
  ASSIGN_OR_RETURN(Pipe error, MakePipe());
  SpawnOptions options;
  ASSIGN_OR_RETURN(options.program, FindProgram(call.arguments.front()));
  options.arguments = call.arguments;
  options.descriptors = {{0, input.reader.get()}, {1, output.writer.get()}, {2, error.writer.get()}};
  ASSIGN_OR_RETURN(SpawnedProcess process, SpawnProcess(options));
  fcntl(input.writer.get(), F_SETFL, O_NONBLOCK);
  streams->input = std::move(input.writer);
  streams->output = std::move(output.reader);
  streams->error = std::move(error.reader);
  return process;
}

std::string Tail(const std::string& text) {
  absl::string_view tail = absl::StripAsciiWhitespace(text);
  if (tail.size() > kErrorTail) tail.remove_prefix(tail.size() - kErrorTail);
  return tail.empty() ? "(it said nothing)" : std::string(tail);
}

absl::Status JudgeEnd(const std::string& program, const ProcessEnd& end, const std::string& err) {
  if (end.ok()) return absl::OkStatus();
  const std::string how =
      end.signal != 0 ? absl::StrCat("signal ", end.signal) : absl::StrCat("exit code ", end.exit_code);
  return absl::InternalError(absl::StrCat(program, " failed with ", how, ": ", Tail(err)));
}

// Writing to a program that has closed its input must be an error, not our end.
class IgnoreSigpipe {
 public:
  IgnoreSigpipe() {
    struct sigaction ignore = {};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &ignore, &before_);
  }
  ~IgnoreSigpipe() { sigaction(SIGPIPE, &before_, nullptr); }
  IgnoreSigpipe(const IgnoreSigpipe&) = delete;
  IgnoreSigpipe& operator=(const IgnoreSigpipe&) = delete;

 private:
  struct sigaction before_;
};

}  // namespace

absl::StatusOr<std::string> FindProgram(absl::string_view name) {
  if (name.find('/') != absl::string_view::npos) {
    if (access(std::string(name).c_str(), X_OK) == 0) return std::string(name);
    return ErrnoStatus(errno, absl::StrCat("find program ", name));
  }
  const char* path = getenv("PATH");
  for (absl::string_view directory : absl::StrSplit(path != nullptr ? path : "/usr/sbin:/usr/bin:/sbin:/bin", ':')) {
    std::string candidate = absl::StrCat(directory, "/", name);
    if (!directory.empty() && access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return absl::NotFoundError(absl::StrCat("find program ", name, ": not on PATH"));
}

absl::StatusOr<std::string> RunProgram(const ProgramCall& call) {
  const IgnoreSigpipe ignore_sigpipe;
  const Deadline deadline = Deadline::After(call.timeout);
  const std::string& program = call.arguments.front();
  Streams streams;
  streams.to_write = call.input;
  ASSIGN_OR_RETURN(const SpawnedProcess process, Spawn(call, &streams));
  const absl::Status pumped = Pump(deadline, &streams);
  absl::StatusOr<ProcessEnd> end = pumped.ok() ? process.pidfd.Reap(deadline) : pumped;
  if (!end.ok()) {
    process.pidfd.Signal(SIGKILL).IgnoreError();
    process.pidfd.Reap(Deadline::After(absl::Seconds(10))).IgnoreError();
    return absl::Status(end.status().code(),
                        absl::StrCat(program, " did not end within ", absl::FormatDuration(call.timeout),
                                     " and was killed: ", end.status().message()));
  }
  RETURN_IF_ERROR(JudgeEnd(program, *end, streams.err));
  return std::move(streams.out);
}

}  // namespace muster::vm
