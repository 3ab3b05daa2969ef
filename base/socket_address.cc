#include "base/socket_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/un.h>

// Needs sys/socket.h before it.
#include <linux/vm_sockets.h>

#include <cstring>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "base/errno_status.h"

namespace muster {
namespace {

template <typename T>
SocketAddress Wrap(const T& address) {
  static_assert(sizeof(T) <= sizeof(sockaddr_storage) && std::is_trivially_copyable_v<T>);
  SocketAddress result;
  std::memcpy(&result.storage, &address, sizeof(T));
  result.size = sizeof(T);
  return result;
}

template <typename T>
T Unwrap(const SocketAddress& address) {
  T result;
  std::memcpy(&result, &address.storage, sizeof(T));
  return result;
}

SocketAddress FromPath(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // ParseAddress has checked the length; an address made by hand is cut, never overrun.
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  return Wrap(address);
}

absl::StatusOr<SocketAddress> FromTcp(const TcpAddress& tcp, TcpReach reach) {
  const std::string host = tcp.host == "localhost" ? "127.0.0.1" : tcp.host;
  const bool anywhere = reach == TcpReach::kAnywhere;
  sockaddr_in v4{};
  const bool is_v4 = inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1;
  if (is_v4 && (anywhere || ntohl(v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET)) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(tcp.port);
    return Wrap(v4);
  }
  sockaddr_in6 v6{};
  const bool is_v6 = inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1;
  if (is_v6 && (anywhere || IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr))) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(tcp.port);
    return Wrap(v6);
  }
  if (anywhere) {
    return absl::InvalidArgumentError(
        absl::StrCat(FormatAddress(tcp), ": names are not looked up; write the number of an interface, or 0.0.0.0"));
  }
  return absl::PermissionDeniedError(
      absl::StrCat(FormatAddress(tcp),
                   ": tcp beyond loopback requires TLS with client certificates, which is not "
                   "configured; use tcp://127.0.0.1:PORT, a unix:// or a vsock:// address"));
}

SocketAddress FromVsock(const VsockAddress& vsock) {
  static_assert(VsockAddress::kAnyCid == VMADDR_CID_ANY);
  sockaddr_vm address{};
  address.svm_family = AF_VSOCK;
  address.svm_cid = vsock.cid;
  address.svm_port = vsock.port == 0 ? VMADDR_PORT_ANY : vsock.port;
  return Wrap(address);
}

struct Converter {
  TcpReach reach;

  absl::StatusOr<SocketAddress> operator()(const UnixAddress& a) const { return FromPath(a.path); }
  absl::StatusOr<SocketAddress> operator()(const HybridVsockAddress& a) const { return FromPath(a.path); }
  absl::StatusOr<SocketAddress> operator()(const TcpAddress& a) const { return FromTcp(a, reach); }
  absl::StatusOr<SocketAddress> operator()(const VsockAddress& a) const { return FromVsock(a); }
};

}  // namespace

absl::StatusOr<SocketAddress> ToSocketAddress(const Address& address, TcpReach reach) {
  return std::visit(Converter{reach}, address);
}

uint16_t InetPort(const SocketAddress& address) {
  return ntohs(address.family() == AF_INET ? Unwrap<sockaddr_in>(address).sin_port
                                           : Unwrap<sockaddr_in6>(address).sin6_port);
}

std::string FormatInet(const SocketAddress& address) {
  char host[INET6_ADDRSTRLEN] = "";
  if (address.family() == AF_INET) {
    const sockaddr_in v4 = Unwrap<sockaddr_in>(address);
    inet_ntop(AF_INET, &v4.sin_addr, host, sizeof(host));
    return absl::StrCat(host, ":", InetPort(address));
  }
  const sockaddr_in6 v6 = Unwrap<sockaddr_in6>(address);
  inet_ntop(AF_INET6, &v6.sin6_addr, host, sizeof(host));
  return absl::StrCat("[", host, "]:", InetPort(address));
}

absl::StatusOr<UniqueFd> MakeStreamSocket(int family, int flags) {
  UniqueFd fd(socket(family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
  if (!fd.valid()) return ErrnoStatus(errno, absl::StrCat("make a socket of address family ", family));
  return fd;
}

absl::Status PollFor(int fd, short events, const Deadline& deadline, absl::string_view what) {
  while (true) {
    pollfd entry = {fd, events, 0};
    const int ready = poll(&entry, 1, deadline.PollTimeoutMs());
    if (ready > 0) return absl::OkStatus();
    if (ready < 0 && errno != EINTR) return ErrnoStatus(errno, absl::StrCat("poll while waiting for ", what));
    if (deadline.Expired()) return absl::DeadlineExceededError(absl::StrCat("timed out waiting for ", what));
  }
}

}  // namespace muster
