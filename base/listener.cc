#include "base/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

// Needs sys/socket.h before it.
#include <linux/vm_sockets.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/dial.h"
#include "base/errno_status.h"
#include "base/file_io.h"
#include "base/socket_address.h"
#include "base/status_macros.h"

namespace muster {
namespace {

constexpr int kBacklog = 128;

// Holds flock(2) of the directory in which a socket file is made, so that of two daemons that find the same stale file
// only one replaces it. No file of its own is left behind.
absl::StatusOr<UniqueFd> LockDirectoryOf(const std::string& path) {
  const std::string directory = path.substr(0, std::max<size_t>(path.rfind('/'), 1));
  ASSIGN_OR_RETURN(UniqueFd fd, OpenAt(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY));
  // flock has no timeout; holders of ours keep it for microseconds, and a stranger's must not hang us.
  const Deadline deadline = Deadline::After(absl::Seconds(2));
  while (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return ErrnoStatus(errno, absl::StrCat("lock ", directory));
    if (deadline.Expired()) {
      return absl::UnavailableError(absl::StrCat("lock ", directory, ": another process has held it for 2 s"));
    }
    const timespec pause = {0, 5'000'000};
    nanosleep(&pause, nullptr);
  }
  return fd;
}

// Removes a socket file that nobody listens behind. The caller holds the directory's lock.
absl::Status RemoveStale(const UnixAddress& address) {
  struct stat file;
  if (lstat(address.path.c_str(), &file) != 0) {
    return errno == ENOENT ? absl::OkStatus() : ErrnoStatus(errno, absl::StrCat("look at ", address.path));
  }
  if (!S_ISSOCK(file.st_mode)) {
    return absl::AlreadyExistsError(absl::StrCat("listen on ", address.path, ": a file that is no socket is there"));
  }
  // Refused and gone are certain. A full backlog, or no permission, is somebody.
  const absl::Status dialled = Dial(address, absl::ZeroDuration()).status();
  if (!absl::IsUnavailable(dialled)) {
    return absl::AlreadyExistsError(absl::StrCat("listen on ", address.path, ": somebody listens there already"));
  }
  if (unlink(address.path.c_str()) != 0 && errno != ENOENT) {
    return ErrnoStatus(errno, absl::StrCat("remove the stale socket ", address.path));
  }
  return absl::OkStatus();
}

absl::Status BindAndListen(int fd, const SocketAddress& where, const Address& address) {
  if (bind(fd, where.get(), where.size) != 0) return ErrnoStatus(errno, absl::StrCat("bind ", FormatAddress(address)));
  if (listen(fd, kBacklog) != 0) return ErrnoStatus(errno, absl::StrCat("listen on ", FormatAddress(address)));
  return absl::OkStatus();
}

absl::Status BindUnix(int fd, const SocketAddress& where, const UnixAddress& address) {
  ASSIGN_OR_RETURN(const UniqueFd lock, LockDirectoryOf(address.path));
  RETURN_IF_ERROR(RemoveStale(address));
  // bind(2) makes the file with the mode of the socket's own inode, so there is no moment at which it is open to
  // others.
  if (fchmod(fd, 0600) != 0) return ErrnoStatus(errno, absl::StrCat("set the mode of ", address.path));
  return BindAndListen(fd, where, address);
}

// `address` with the port that the kernel chose.
absl::StatusOr<Address> ActualAddress(int fd, Address address) {
  SocketAddress bound;
  bound.size = sizeof(bound.storage);
  if (getsockname(fd, bound.get(), &bound.size) != 0) {
    return ErrnoStatus(errno, absl::StrCat("getsockname of ", FormatAddress(address)));
  }
  if (auto* tcp = std::get_if<TcpAddress>(&address)) tcp->port = InetPort(bound);
  if (auto* vsock = std::get_if<VsockAddress>(&address)) {
    sockaddr_vm vm;
    std::memcpy(&vm, &bound.storage, sizeof(vm));
    vsock->port = vm.svm_port;
  }
  return address;
}

// What the socket is bound to.
absl::StatusOr<Address> BoundAddress(int fd, TcpReach reach) {
  SocketAddress bound;
  bound.size = sizeof(bound.storage);
  if (getsockname(fd, bound.get(), &bound.size) != 0) return ErrnoStatus(errno, absl::StrCat("getsockname of ", fd));
  switch (bound.family()) {
    case AF_UNIX: {
      sockaddr_un name{};
      std::memcpy(&name, &bound.storage, std::min<size_t>(bound.size, sizeof(name)));
      return UnixAddress{std::string(name.sun_path, strnlen(name.sun_path, sizeof(name.sun_path)))};
    }
    case AF_VSOCK: {
      sockaddr_vm vm;
      std::memcpy(&vm, &bound.storage, sizeof(vm));
      return VsockAddress{vm.svm_cid, vm.svm_port};
    }
    case AF_INET:
    case AF_INET6: {
      ASSIGN_OR_RETURN(Address address, ParseAddress(absl::StrCat("tcp://", FormatInet(bound))));
      // Refuses what is beyond it.
      RETURN_IF_ERROR(ToSocketAddress(address, reach).status());
      return address;
    }
    default:
      return absl::InvalidArgumentError(absl::StrCat("descriptor ", fd, " is a socket of family ", bound.family()));
  }
}

absl::StatusOr<UniqueFd> MakeStopEvent() {
  UniqueFd stop(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop.valid()) return ErrnoStatus(errno, "make an eventfd");
  return stop;
}

absl::StatusOr<PeerIdentity> IdentifyUnix(int fd) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return ErrnoStatus(errno, "read SO_PEERCRED of an accepted connection");
  }
  return UnixPeer{credentials.pid, credentials.uid, credentials.gid};
}

absl::StatusOr<PeerIdentity> Identify(int fd, const SocketAddress& peer) {
  switch (peer.family()) {
    case AF_UNIX:
      return IdentifyUnix(fd);
    case AF_VSOCK: {
      sockaddr_vm vm;
      std::memcpy(&vm, &peer.storage, sizeof(vm));
      return VsockPeer{vm.svm_cid, vm.svm_port};
    }
    default: {
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      return TcpPeer{FormatInet(peer)};
    }
  }
}

// Errors of accept(2) that concern one connection that is gone already, not the listener.
bool IsPassing(int error_number) {
  return error_number == EINTR || error_number == ECONNABORTED || error_number == EPROTO || error_number == ENETDOWN ||
         error_number == EHOSTDOWN || error_number == EHOSTUNREACH || error_number == ENETUNREACH;
}

struct PeerFormatter {
  std::string operator()(const UnixPeer& p) const {
    return absl::StrCat("pid ", p.pid, " uid ", p.uid, " gid ", p.gid);
  }
  std::string operator()(const TcpPeer& p) const { return absl::StrCat("tcp ", p.address); }
  std::string operator()(const VsockPeer& p) const { return absl::StrCat("vsock cid ", p.cid, " port ", p.port); }
};

}  // namespace

std::string FormatPeer(const PeerIdentity& peer) { return std::visit(PeerFormatter(), peer); }

absl::StatusOr<Listener> Listener::Listen(const Address& address, TcpReach reach) {
  if (std::holds_alternative<HybridVsockAddress>(address)) {
    return absl::InvalidArgumentError(
        absl::StrCat("listen on ", FormatAddress(address),
                     ": a hybrid address is for dialling; in the guest listen on vsock://any:PORT"));
  }
  ASSIGN_OR_RETURN(const SocketAddress where, ToSocketAddress(address, reach));
  ASSIGN_OR_RETURN(UniqueFd fd, MakeStreamSocket(where.family(), SOCK_NONBLOCK));
  const auto* unix_address = std::get_if<UnixAddress>(&address);
  if (unix_address != nullptr) {
    RETURN_IF_ERROR(BindUnix(fd.get(), where, *unix_address));
  } else {
    const int on = 1;
    if (std::holds_alternative<TcpAddress>(address)) setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    RETURN_IF_ERROR(BindAndListen(fd.get(), where, address));
  }
  ASSIGN_OR_RETURN(Address actual, ActualAddress(fd.get(), address));
  ASSIGN_OR_RETURN(UniqueFd stop, MakeStopEvent());
  Listener listener(std::move(actual), std::move(fd), std::move(stop));
  listener.RememberFile();
  return listener;
}

absl::StatusOr<Listener> Listener::Adopt(UniqueFd fd, TcpReach reach) {
  int listens = 0;
  socklen_t size = sizeof(listens);
  if (getsockopt(fd.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0) {
    return absl::InvalidArgumentError(absl::StrCat("descriptor ", fd.get(), " is not a listening socket"));
  }
  ASSIGN_OR_RETURN(Address address, BoundAddress(fd.get(), reach));
  const int flags = fcntl(fd.get(), F_GETFL);
  if (flags < 0 || fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) != 0 || fcntl(fd.get(), F_SETFD, FD_CLOEXEC) != 0) {
    return ErrnoStatus(errno, absl::StrCat("set the flags of descriptor ", fd.get()));
  }
  ASSIGN_OR_RETURN(UniqueFd stop, MakeStopEvent());
  return Listener(std::move(address), std::move(fd), std::move(stop));
}

Listener::Listener(Address address, UniqueFd fd, UniqueFd stop)
    : address_(std::move(address)), fd_(std::move(fd)), stop_(std::move(stop)) {}

void Listener::RememberFile() {
  const auto* unix_address = std::get_if<UnixAddress>(&address_);
  struct stat file;
  if (unix_address == nullptr || lstat(unix_address->path.c_str(), &file) != 0) return;
  device_ = file.st_dev;
  inode_ = file.st_ino;
}

Listener::Listener(Listener&& other) noexcept
    : address_(other.address_),
      fd_(std::move(other.fd_)),
      stop_(std::move(other.stop_)),
      device_(other.device_),
      inode_(std::exchange(other.inode_, 0)) {}

Listener::~Listener() {
  if (inode_ == 0) return;
  const std::string& path = std::get<UnixAddress>(address_).path;
  struct stat file;
  if (lstat(path.c_str(), &file) != 0 || file.st_dev != device_ || file.st_ino != inode_) return;
  unlink(path.c_str());
}

void Listener::Stop() {
  const uint64_t one = 1;
  // Fails only when the counter is full, and then it has been stopped before.
  [[maybe_unused]] const ssize_t done = write(stop_.get(), &one, sizeof(one));
}

absl::Status Listener::WaitForConnection(const Deadline& deadline) const {
  while (true) {
    pollfd entries[] = {{fd_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    const int ready = poll(entries, 2, deadline.PollTimeoutMs());
    if (ready < 0 && errno != EINTR) return ErrnoStatus(errno, absl::StrCat("poll ", FormatAddress(address_)));
    if (ready > 0 && entries[1].revents != 0) return absl::CancelledError("the listener was stopped");
    if (ready > 0) return absl::OkStatus();
    if (deadline.Expired()) {
      return absl::DeadlineExceededError(absl::StrCat("nobody connected to ", FormatAddress(address_)));
    }
  }
}

absl::StatusOr<AcceptedSocket> Listener::Accept(absl::Duration timeout) {
  const Deadline deadline = Deadline::After(timeout);
  while (true) {
    RETURN_IF_ERROR(WaitForConnection(deadline));
    SocketAddress peer;
    peer.size = sizeof(peer.storage);
    UniqueFd fd(accept4(fd_.get(), peer.get(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.valid()) {
      ASSIGN_OR_RETURN(PeerIdentity identity, Identify(fd.get(), peer));
      return AcceptedSocket{std::move(fd), std::move(identity)};
    }
    if (errno != EAGAIN && !IsPassing(errno)) {
      return ErrnoStatus(errno, absl::StrCat("accept on ", FormatAddress(address_)));
    }
  }
}

}  // namespace muster
