#include "daemon/pool/catalogue.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/errno_status.h"
#include "base/spawn_process.h"
#include "base/status_macros.h"
#include "base/unique_fd.h"

namespace muster {
namespace {

constexpr size_t kMaxBytes = 4 << 20;

// Everything until the end of the file.
absl::StatusOr<std::string> ReadAll(int fd, Deadline deadline) {
  std::string bytes;
  char chunk[16384];
  while (bytes.size() <= kMaxBytes) {
    pollfd wait = {fd, POLLIN, 0};
    if (poll(&wait, 1, deadline.PollTimeoutMs()) == 0 && deadline.Expired()) {
      return absl::DeadlineExceededError("it does not answer");
    }
    const ssize_t got = read(fd, chunk, sizeof(chunk));
    if (got == 0) return bytes;
    if (got < 0 && errno != EINTR) return ErrnoStatus(errno, "reading its answer");
    if (got > 0) bytes.append(chunk, got);
  }
  return absl::OutOfRangeError("its answer is longer than 4 MiB");
}

// Runs the binary; its child is reaped whatever happens.
absl::StatusOr<std::string> Ask(const std::string& worker_binary, Deadline deadline) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return ErrnoStatus(errno, "pipe2");
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  SpawnOptions options;
  options.program = worker_binary;
  options.arguments = {"muster-worker", "--catalogue"};
  options.descriptors = {{1, writer.get()}};
  ASSIGN_OR_RETURN(const SpawnedProcess process, SpawnProcess(options));
  writer.Reset();
  absl::StatusOr<std::string> bytes = ReadAll(reader.get(), deadline);
  if (!bytes.ok()) process.pidfd.Signal(SIGKILL).IgnoreError();
  ASSIGN_OR_RETURN(const ProcessEnd end, process.pidfd.Reap(Deadline::After(absl::Seconds(5))));
  if (bytes.ok() && !end.ok()) {
    return absl::InternalError(absl::StrCat("it ended with exit code ", end.exit_code, ", signal ", end.signal));
  }
  return bytes;
}

// Streams of the catalogue as bits of the arena's.
uint32_t StreamSet(const v1::WorkTypeInfo& type) {
  uint32_t set = 0;
  for (int stream : type.streams()) {
    if (stream >= v1::WAKE && stream <= v1::TIMER) set |= 1u << (stream - v1::WAKE);
  }
  return set;
}

}  // namespace

absl::StatusOr<Catalogue> Catalogue::Read(const std::string& worker_binary, Deadline deadline) {
  const absl::StatusOr<std::string> bytes = Ask(worker_binary, deadline);
  if (!bytes.ok()) {
    return absl::Status(bytes.status().code(),
                        absl::StrCat("asking ", worker_binary, " for its catalogue: ", bytes.status().message()));
  }
  v1::Catalogue catalogue;
  if (!catalogue.ParseFromString(*bytes) || catalogue.work_types_size() == 0) {
    return absl::InternalError(
        absl::StrCat(worker_binary, " --catalogue answered no catalogue; is it a muster-worker?"));
  }
  return Catalogue(std::move(catalogue));
}

Catalogue::Catalogue(v1::Catalogue catalogue) : proto_(std::move(catalogue)) {
  const google::protobuf::Descriptor* work = v1::Work::descriptor();
  for (const v1::WorkTypeInfo& type : proto_.work_types()) {
    const google::protobuf::FieldDescriptor* arm = work->FindFieldByName(type.field());
    if (arm != nullptr) streams_[arm->number()] = StreamSet(type);
  }
}

absl::StatusOr<uint32_t> Catalogue::StreamsOf(const v1::Work& work) const {
  const auto found = streams_.find(work.type_case());
  if (found == streams_.end()) {
    const google::protobuf::FieldDescriptor* arm = v1::Work::descriptor()->FindFieldByNumber(work.type_case());
    return absl::InvalidArgumentError(absl::StrCat("the daemon's worker binary has no work type ",
                                                   arm != nullptr ? arm->name() : "of this number",
                                                   "; `muster types` lists those it has"));
  }
  // A program leaves its samples elsewhere.
  return work.custom().has_program() ? 0 : found->second;
}

}  // namespace muster
