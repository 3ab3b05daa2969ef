// How the host reaches musterd in a guest.
#ifndef MUSTER_TOOLS_VM_QEMU_TRANSPORT_H_
#define MUSTER_TOOLS_VM_QEMU_TRANSPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/vm/support/flags.h"

namespace muster::vm {

enum class TransportKind {
  // The host's kernel carries vsock (/dev/vhost-vsock).
  kVhostVsock,
  // A process beside QEMU carries vsock (vhost-device-vsock).
  kVhostUserVsock,
  // QEMU forwards a port of the host's loopback address.
  kForwardedPort,
};

struct Transport {
  TransportKind kind = TransportKind::kForwardedPort;
  // vsock: the guest's context id.
  uint32_t cid = 0;
  // kVhostUserVsock: the device's program and its two sockets.
  std::string device_program;
  std::string device_socket;
  std::string host_socket;
  // kForwardedPort: on 127.0.0.1.
  uint16_t host_port = 0;
};

// Port of musterd in the guest, over vsock and behind the relay.
inline constexpr uint32_t kGuestPort = 7070;

// What this machine has, found by looking.
struct HostVsock {
  bool kernel = false;
  // Path of vhost-device-vsock; empty when there is none.
  std::string device_program;
};
HostVsock ProbeHostVsock(const std::string& cache);

// `wanted` is "auto", "vhost-vsock", "vhost-device-vsock" or "tcp". Sockets go into `directory`, which must be private
// to the caller. FAILED_PRECONDITION: asked for and not there. A loopback port or context id that is free now may be
// taken when QEMU asks for it: QEMU then ends at once, and the caller chooses again.
struct TransportRequest {
  std::string wanted = "auto";
  std::string directory;
};
absl::StatusOr<Transport> ChooseTransport(const TransportRequest& request, const HostVsock& host);

// What a client dials, and what `muster vm run` says it took.
std::string ClientAddress(const Transport& transport);
std::string Describe(const Transport& transport);

// Arguments of QEMU, of our init in the guest, of musterd there, and of vhost-device-vsock (argv; empty for the
// others).
std::vector<std::string> TransportArguments(const Transport& transport);
std::vector<std::string> InitArguments(const Transport& transport);
std::vector<std::string> DaemonArguments(const Transport& transport);
std::vector<std::string> DeviceArguments(const Transport& transport);

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_QEMU_TRANSPORT_H_
