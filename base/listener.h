// Listening stream sockets over every transport, and who connected to them.
#ifndef MUSTER_BASE_LISTENER_H_
#define MUSTER_BASE_LISTENER_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/address.h"
#include "base/deadline.h"
#include "base/tcp_reach.h"
#include "base/unique_fd.h"

namespace muster {

// Who connected to a unix socket, as it was at its connect(2) (SO_PEERCRED).
struct UnixPeer {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
};

// Who connected over tcp.
struct TcpPeer {
  // As "127.0.0.1:40312".
  std::string address;
};

// Who connected over vsock.
struct VsockPeer {
  uint32_t cid = 0;
  uint32_t port = 0;
};

using PeerIdentity = std::variant<UnixPeer, TcpPeer, VsockPeer>;

// For logs, as "pid 17 uid 0 gid 0".
std::string FormatPeer(const PeerIdentity& peer);

// A connection that came in.
struct AcceptedSocket {
  // Non-blocking, close-on-exec.
  UniqueFd fd;
  // Taken at accept: gRPC, once it owns the descriptor, knows only its number.
  PeerIdentity peer;
};

// Owns a listening socket; the destructor closes it and removes the socket file, when that is still the one it made.
// Move-only. Accept may be called by one thread at a time.
class Listener {
 public:
  // unix: the file has mode 0600 from its first moment; a file that nobody listens behind is replaced, one with a live
  // listener is ALREADY_EXISTS. tcp: hosts beyond `reach` are PERMISSION_DENIED. A hybrid vsock address is for dialling
  // only.
  static absl::StatusOr<Listener> Listen(const Address& address, TcpReach reach = TcpReach::kLoopback);

  // Takes over a socket that somebody else made and that listens already, as service managers hand it down. Its file
  // stays when this object goes. INVALID_ARGUMENT: it does not listen, or is of no transport above; PERMISSION_DENIED:
  // tcp beyond `reach`.
  static absl::StatusOr<Listener> Adopt(UniqueFd fd, TcpReach reach = TcpReach::kLoopback);

  Listener(Listener&& other) noexcept;
  Listener& operator=(Listener&&) = delete;
  ~Listener();

  // The next connection. DEADLINE_EXCEEDED when none came within `timeout`; zero never waits. CANCELLED after Stop.
  absl::StatusOr<AcceptedSocket> Accept(absl::Duration timeout);

  // Makes an Accept that waits, and every later one, return at once. From any thread while the listener lives.
  void Stop();

  // What to dial: the address given, with the port that the kernel chose in place of 0.
  const Address& address() const { return address_; }

  // Readable when Accept has something to return; stays owned by the listener.
  int fd() const { return fd_.get(); }

 private:
  Listener(Address address, UniqueFd fd, UniqueFd stop);

  // From now on the destructor removes the socket file.
  void RememberFile();

  absl::Status WaitForConnection(const Deadline& deadline) const;

  Address address_;
  UniqueFd fd_;
  // An eventfd, readable after Stop.
  UniqueFd stop_;
  // The socket file that was made; inode 0: none.
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace muster

#endif  // MUSTER_BASE_LISTENER_H_
