#include "base/dial.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

// Needs sys/socket.h before it.
#include <linux/vm_sockets.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/connect_error.h"
#include "base/errno_status.h"
#include "base/socket_address.h"
#include "base/status_macros.h"

namespace muster {
namespace {

timeval ToTimeval(const Deadline& deadline) {
  // Zero would mean "for ever".
  return absl::ToTimeval(std::max(deadline.Remaining(), absl::Milliseconds(1)));
}

// A non-blocking connect to a unix socket with a full backlog cannot be polled for; the blocking one waits for room for
// SO_SNDTIMEO (unix_stream_connect in the kernel), and connects at once otherwise.
absl::StatusOr<UniqueFd> DialUnix(const SocketAddress& where, const Address& address, const Deadline& deadline) {
  ASSIGN_OR_RETURN(UniqueFd fd, MakeStreamSocket(AF_UNIX, 0));
  const timeval timeout = ToTimeval(deadline);
  if (setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) != 0) {
    return ErrnoStatus(errno, "set SO_SNDTIMEO");
  }
  int result = 0;
  do {
    result = connect(fd.get(), where.get(), where.size);
  } while (result != 0 && errno == EINTR && !deadline.Expired());
  if (result != 0) return ConnectError(errno, address);
  if (fcntl(fd.get(), F_SETFL, O_RDWR | O_NONBLOCK) != 0) return ErrnoStatus(errno, "set O_NONBLOCK");
  return fd;
}

absl::StatusOr<UniqueFd> DialPolled(const SocketAddress& where, const Address& address, const Deadline& deadline) {
  ASSIGN_OR_RETURN(UniqueFd fd, MakeStreamSocket(where.family(), SOCK_NONBLOCK));
  if (where.family() == AF_VSOCK) {
    // The kernel gives up after 2 s of its own, also on a non-blocking connect.
    const timeval timeout = ToTimeval(deadline);
    setsockopt(fd.get(), AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, &timeout, sizeof(timeout));
  } else {
    const int on = 1;
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  if (connect(fd.get(), where.get(), where.size) == 0) return fd;
  if (errno != EINPROGRESS && errno != EINTR) return ConnectError(errno, address);
  const absl::Status polled =
      PollFor(fd.get(), POLLOUT, deadline, absl::StrCat("the connection to ", FormatAddress(address)));
  // The kernel's own limit is the same, and may be a moment later.
  if (absl::IsDeadlineExceeded(polled)) return ConnectError(ETIMEDOUT, address);
  RETURN_IF_ERROR(polled);
  int error = 0;
  socklen_t size = sizeof(error);
  if (getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) return ConnectError(error, address);
  return fd;
}

// Reads up to the newline and not one byte further: what follows belongs to the connection.
absl::Status ReadLine(int fd, const Address& address, const Deadline& deadline, std::string* line) {
  constexpr size_t kMaxLine = 64;
  const std::string what = absl::StrCat("the answer to CONNECT of ", FormatAddress(address));
  while (line->size() < kMaxLine) {
    RETURN_IF_ERROR(PollFor(fd, POLLIN, deadline, what));
    char byte = 0;
    const ssize_t got = read(fd, &byte, 1);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got == 0 || (got < 0 && errno == ECONNRESET)) {
      return absl::UnavailableError(absl::StrCat(FormatAddress(address),
                                                 ": closed without an answer to CONNECT; nobody "
                                                 "listens on that port in the guest, or the guest is not up"));
    }
    if (got < 0) return ErrnoStatus(errno, absl::StrCat("read ", what));
    if (byte == '\n') return absl::OkStatus();
    line->push_back(byte);
  }
  return absl::UnavailableError(absl::StrCat(what, " has no end; is it the socket of a hybrid vsock?"));
}

absl::Status AskForPort(int fd, const HybridVsockAddress& address) {
  // In one write: some devices parse only what their first read returns.
  const std::string request = absl::StrCat("CONNECT ", address.port, "\n");
  const ssize_t sent = send(fd, request.data(), request.size(), MSG_NOSIGNAL);
  // A device whose guest is not up closes at once: EPIPE, and reading tells what it said before.
  if (sent < 0 && errno != EPIPE) return ErrnoStatus(errno, absl::StrCat("write CONNECT to ", FormatAddress(address)));
  if (sent >= 0 && static_cast<size_t>(sent) != request.size()) {
    return absl::UnavailableError(absl::StrCat("write CONNECT to ", FormatAddress(address), ": cut short"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<UniqueFd> Dial(const Address& address, absl::Duration timeout) {
  const Deadline deadline = Deadline::After(timeout);
  const auto* vsock = std::get_if<VsockAddress>(&address);
  if (vsock != nullptr && vsock->cid == VsockAddress::kAnyCid) {
    return absl::InvalidArgumentError(
        absl::StrCat("dial ", FormatAddress(address), ": \"any\" is for listening; name the CID of the guest"));
  }
  if (const auto* hybrid = std::get_if<HybridVsockAddress>(&address)) {
    ASSIGN_OR_RETURN(HybridDial dial, HybridDial::Start(*hybrid, timeout));
    return dial.Await(deadline.Remaining());
  }
  ASSIGN_OR_RETURN(const SocketAddress where, ToSocketAddress(address));
  return where.family() == AF_UNIX ? DialUnix(where, address, deadline) : DialPolled(where, address, deadline);
}

absl::StatusOr<HybridDial> HybridDial::Start(const HybridVsockAddress& address, absl::Duration timeout) {
  ASSIGN_OR_RETURN(const SocketAddress where, ToSocketAddress(address));
  ASSIGN_OR_RETURN(UniqueFd fd, DialUnix(where, address, Deadline::After(timeout)));
  RETURN_IF_ERROR(AskForPort(fd.get(), address));
  return HybridDial(address, std::move(fd));
}

absl::StatusOr<UniqueFd> HybridDial::Await(absl::Duration timeout) {
  RETURN_IF_ERROR(ReadLine(fd_.get(), address_, Deadline::After(timeout), &line_));
  if (line_ == "OK" || absl::StartsWith(line_, "OK ")) return std::move(fd_);
  return absl::UnavailableError(
      absl::StrCat(FormatAddress(address_), ": handshake refused: the answer to CONNECT is \"", line_, "\""));
}

}  // namespace muster
