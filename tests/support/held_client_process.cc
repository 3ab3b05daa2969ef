#include "tests/support/held_client_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/errno_status.h"
#include "base/status_macros.h"
#include "base/unique_fd.h"

namespace muster {

absl::StatusOr<SpawnedProcess> StartHeldClient(const std::string& address, const std::string& spec,
                                               absl::Duration patience) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return ErrnoStatus(errno, "make a pipe");
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  SpawnOptions options;
  options.program = "tests/support/held_client";
  options.arguments = {"held_client", address, spec};
  options.descriptors = {{1, writer.get()}};
  ASSIGN_OR_RETURN(SpawnedProcess process, SpawnProcess(options));
  writer.Reset();
  char line[64];
  pollfd wait = {reader.get(), POLLIN, 0};
  const bool told = poll(&wait, 1, static_cast<int>(absl::ToInt64Milliseconds(patience))) == 1;
  if (told && read(reader.get(), line, sizeof(line)) > 1) return process;
  KillHeldClient(process, patience).IgnoreError();
  return absl::UnavailableError(told ? "the client could not start its workload"
                                     : "the client did not start its workload in time");
}

absl::Status KillHeldClient(SpawnedProcess& client, absl::Duration patience) {
  RETURN_IF_ERROR(client.pidfd.Signal(SIGKILL));
  return client.pidfd.Reap(Deadline::After(patience)).status();
}

}  // namespace muster
