#include "tools/vm/qemu/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ioctl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/errno_status.h"
#include "base/status_macros.h"
#include "base/unique_fd.h"
#include "tools/vm/support/program.h"

namespace muster::vm {
namespace {

constexpr char kKernelDevice[] = "/dev/vhost-vsock";
// VHOST_VSOCK_SET_GUEST_CID; linux/vhost.h itself is not valid C++.
constexpr unsigned long kSetGuestCid = _IOW(0xAF, 0x60, uint64_t);

// A context id that no guest of this host has; the kernel knows, and refuses one that is taken.
absl::StatusOr<uint32_t> FreeCid() {
  std::random_device random;
  for (int attempt = 0; attempt < 100; ++attempt) {
    const UniqueFd fd(open(kKernelDevice, O_RDWR | O_CLOEXEC));
    if (!fd.valid()) return ErrnoStatus(errno, absl::StrCat("open ", kKernelDevice));
    // 0 to 2 are reserved; vsock(7).
    const uint64_t cid = 3 + random() % 0x7ffffff0u;
    if (ioctl(fd.get(), kSetGuestCid, &cid) == 0) return static_cast<uint32_t>(cid);
    if (errno != EADDRINUSE) return ErrnoStatus(errno, "choose a vsock context id");
  }
  return absl::ResourceExhaustedError("choose a vsock context id: a hundred tries found each one taken");
}

// A port that nobody has. It is bound, never listened on, and given back: between that and QEMU's own bind another
// program may take it, in which case QEMU ends with its words about it, and the caller tries again.
absl::StatusOr<uint16_t> FreeLoopbackPort() {
  const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (!fd.valid() || bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return ErrnoStatus(errno, "choose a free loopback port");
  }
  return ntohs(address.sin_port);
}

absl::StatusOr<Transport> KernelVsock() {
  Transport transport;
  transport.kind = TransportKind::kVhostVsock;
  ASSIGN_OR_RETURN(transport.cid, FreeCid());
  return transport;
}

Transport UserVsock(const TransportRequest& request, const HostVsock& host) {
  Transport transport;
  transport.kind = TransportKind::kVhostUserVsock;
  transport.cid = 3;
  transport.device_program = host.device_program;
  transport.device_socket = request.directory + "/vhu.sock";
  transport.host_socket = request.directory + "/v.sock";
  return transport;
}

absl::StatusOr<Transport> ForwardedPort() {
  Transport transport;
  transport.kind = TransportKind::kForwardedPort;
  ASSIGN_OR_RETURN(transport.host_port, FreeLoopbackPort());
  return transport;
}

}  // namespace

HostVsock ProbeHostVsock(const std::string& cache) {
  HostVsock host;
  host.kernel = UniqueFd(open(kKernelDevice, O_RDWR | O_CLOEXEC)).valid();
  const std::string fetched = cache + "/vsock-device/usr/bin/vhost-device-vsock";
  for (const std::string& candidate : {std::string("vhost-device-vsock"), fetched}) {
    const absl::StatusOr<std::string> path = FindProgram(candidate);
    if (path.ok() && host.device_program.empty()) host.device_program = *path;
  }
  return host;
}

absl::StatusOr<Transport> ChooseTransport(const TransportRequest& request, const HostVsock& host) {
  const bool any = request.wanted == "auto";
  if (request.wanted == "tcp") return ForwardedPort();
  if (request.wanted == "vhost-vsock" || (any && host.kernel)) {
    if (!host.kernel)
      return absl::FailedPreconditionError(absl::StrCat("transport vhost-vsock: ", kKernelDevice, " cannot be opened"));
    return KernelVsock();
  }
  if (request.wanted == "vhost-device-vsock" || (any && !host.device_program.empty())) {
    if (host.device_program.empty()) {
      return absl::FailedPreconditionError(
          "transport vhost-device-vsock: no such program; `muster vm vsock-device` fetches it");
    }
    return UserVsock(request, host);
  }
  if (any) return ForwardedPort();
  return absl::InvalidArgumentError(
      absl::StrCat("transport \"", request.wanted, "\": one of auto, vhost-vsock, vhost-device-vsock, tcp is needed"));
}

std::string ClientAddress(const Transport& transport) {
  switch (transport.kind) {
    case TransportKind::kVhostVsock:
      return absl::StrFormat("vsock://%d:%d", transport.cid, kGuestPort);
    case TransportKind::kVhostUserVsock:
      return absl::StrFormat("vsock+unix://%s:%d", transport.host_socket, kGuestPort);
    case TransportKind::kForwardedPort:
      return absl::StrFormat("tcp://127.0.0.1:%d", transport.host_port);
  }
  return "";
}

std::string Describe(const Transport& transport) {
  switch (transport.kind) {
    case TransportKind::kVhostVsock:
      return absl::StrCat("vhost-vsock of the kernel, ", ClientAddress(transport));
    case TransportKind::kVhostUserVsock:
      return absl::StrCat("vhost-device-vsock, ", ClientAddress(transport));
    case TransportKind::kForwardedPort:
      return absl::StrCat("forwarded loopback port, ", ClientAddress(transport));
  }
  return "";
}

std::vector<std::string> TransportArguments(const Transport& transport) {
  switch (transport.kind) {
    case TransportKind::kVhostVsock:
      return {"-device", absl::StrFormat("vhost-vsock-pci,guest-cid=%d", transport.cid)};
    case TransportKind::kVhostUserVsock:
      return {"-chardev", absl::StrFormat("socket,id=vsock,path=%s", transport.device_socket), "-device",
              "vhost-user-vsock-pci,chardev=vsock"};
    case TransportKind::kForwardedPort:
      return {"-netdev",
              absl::StrFormat("user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:%d-:%d", transport.host_port, kGuestPort),
              "-device", "virtio-net-pci,netdev=net,romfile="};
  }
  return {};
}

std::vector<std::string> InitArguments(const Transport& transport) {
  if (transport.kind != TransportKind::kForwardedPort) return {};
  return {absl::StrFormat("--relay=%d", kGuestPort)};
}

std::vector<std::string> DaemonArguments(const Transport& transport) {
  if (transport.kind == TransportKind::kForwardedPort) return {"--listen=unix:///run/musterd.sock"};
  return {absl::StrFormat("--listen=vsock://any:%d", kGuestPort)};
}

std::vector<std::string> DeviceArguments(const Transport& transport) {
  if (transport.kind != TransportKind::kVhostUserVsock) return {};
  // Version 0.3 loses packets of more than 32 KiB from newer kernels unless the buffer is smaller than that.
  return {transport.device_program, "--vm",
          absl::StrFormat("guest-cid=%d,socket=%s,uds-path=%s,tx-buffer-size=28672", transport.cid,
                          transport.device_socket, transport.host_socket)};
}

}  // namespace muster::vm
