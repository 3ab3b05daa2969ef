#include "daemon/janitor/janitor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include "absl/strings/str_cat.h"
#include "base/errno_status.h"
#include "base/janitor_protocol.h"
#include "base/log.h"
#include "base/status_macros.h"

namespace muster {
namespace {

constexpr absl::Duration kStartTime = absl::Seconds(5);
constexpr absl::Duration kEndTime = absl::Seconds(1);

}  // namespace

absl::StatusOr<Janitor> Janitor::Spawn(const JanitorOptions& options) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return ErrnoStatus(errno, "make the janitor's socket");
  UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);
  SpawnOptions spawn;
  spawn.program = options.worker_binary;
  spawn.arguments = {options.worker_binary, kJanitorFlag, options.instance};
  spawn.descriptors = {{kJanitorSocketFd, theirs.get()},
                       {kJanitorBaseFd, options.base->fd()},
                       {kJanitorInstanceFd, options.locked->fd()}};
  spawn.new_session = true;
  ASSIGN_OR_RETURN(SpawnedProcess process, options.spawn(spawn));
  // Else the wait below would not see the end of a process that is no janitor.
  theirs.Reset();
  Janitor janitor(std::move(process), std::move(ours));
  RETURN_IF_ERROR(janitor.WaitReady(Deadline::After(kStartTime)));
  return janitor;
}

absl::Status Janitor::WaitReady(Deadline deadline) const {
  while (true) {
    pollfd waiting{socket_.get(), POLLIN, 0};
    const int ready = poll(&waiting, 1, deadline.PollTimeoutMs());
    if (ready < 0 && errno != EINTR) return ErrnoStatus(errno, "wait for the janitor");
    char byte = 0;
    if (ready > 0 && read(socket_.get(), &byte, 1) == 1 && byte == kJanitorReady) return absl::OkStatus();
    if (ready > 0) return absl::InternalError("the worker binary did not start as a janitor; see its lines above");
    if (deadline.Expired()) return absl::DeadlineExceededError("the janitor did not start in time");
  }
}

Janitor::~Janitor() {
  if (!socket_.valid()) return;
  const ssize_t told = send(socket_.get(), &kJanitorGoodBye, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
  // One that has died already needs no good-bye.
  if (told != 1 && errno != EPIPE) LogWarning(absl::StrCat("say good-bye to the janitor: ", ErrnoName(errno)));
  absl::StatusOr<ProcessEnd> end = process_.pidfd.Reap(Deadline::After(kEndTime));
  if (end.ok()) return;
  [[maybe_unused]] const absl::Status killed = process_.pidfd.Signal(SIGKILL);
  end = process_.pidfd.Reap(Deadline::After(kEndTime));
  LogWarning(absl::StrCat("the janitor, pid ", process_.pid, ", did not end by itself; ",
                          end.ok() ? "it was killed" : end.status().message()));
}

}  // namespace muster
