// An Address as the kernel wants it. For listener.cc and dial.cc.
#ifndef MUSTER_BASE_SOCKET_ADDRESS_H_
#define MUSTER_BASE_SOCKET_ADDRESS_H_

#include <sys/socket.h>

#include <string>

#include "absl/status/statusor.h"
#include "base/address.h"
#include "base/deadline.h"
#include "base/tcp_reach.h"
#include "base/unique_fd.h"

namespace muster {

// A sockaddr of any family.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
};

// The socket to bind or to connect; for a hybrid address that of its unix socket. tcp: PERMISSION_DENIED for a host
// beyond `reach`; names are not looked up, but for "localhost".
absl::StatusOr<SocketAddress> ToSocketAddress(const Address& address, TcpReach reach = TcpReach::kLoopback);

// Host and port of an AF_INET or AF_INET6 address, as "127.0.0.1:7070".
std::string FormatInet(const SocketAddress& address);
uint16_t InetPort(const SocketAddress& address);

// A stream socket, close-on-exec; `flags` as SOCK_NONBLOCK.
absl::StatusOr<UniqueFd> MakeStreamSocket(int family, int flags);

// Waits until poll(2) says `events` (or an error condition) of `fd`. DEADLINE_EXCEEDED names `what`.
absl::Status PollFor(int fd, short events, const Deadline& deadline, absl::string_view what);

}  // namespace muster

#endif  // MUSTER_BASE_SOCKET_ADDRESS_H_
