// The daemon as its own client.
#include <errno.h>
#include <grpcpp/create_channel_posix.h>
#include <sys/socket.h>

#include <chrono>

#include "absl/strings/str_cat.h"
#include "base/errno_status.h"
#include "daemon/daemon.h"
#include "muster/v1/muster.grpc.pb.h"

namespace muster {

// A new connection each time: an idle one would be closed by keepalive, and making one is part of serving.
absl::Status Daemon::Probe(Deadline deadline) {
  int ends[2] = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
    return ErrnoStatus(errno, "make a socket pair");
  }
  Admit({UniqueFd(ends[0]), UnixPeer{getpid(), geteuid(), getegid()}});
  const auto stub = v1::Muster::NewStub(grpc::CreateInsecureChannelFromFd("muster", ends[1]));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMicroseconds(deadline.Remaining()));
  v1::ListPoolsResponse pools;
  // Goes through the executor that all handlers share, and takes the lock of the table of pools.
  const grpc::Status status = stub->ListPools(&context, v1::ListPoolsRequest(), &pools);
  if (status.ok()) return absl::OkStatus();
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                      absl::StrCat("the daemon did not answer itself: ", status.error_message()));
}

}  // namespace muster
