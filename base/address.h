// Addresses of a daemon, as users write them.
#ifndef MUSTER_BASE_ADDRESS_H_
#define MUSTER_BASE_ADDRESS_H_

#include <cstdint>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace muster {

// unix:///path: a socket file.
struct UnixAddress {
  // Absolute, at most 107 bytes (sun_path, unix(7)).
  std::string path;
};

// tcp://host:port.
struct TcpAddress {
  // A name or a literal; an IPv6 literal stands here without its brackets.
  std::string host;
  // 0, for a listener: any free port.
  uint16_t port = 0;
};

// vsock://CID:PORT, vsock(7).
struct VsockAddress {
  // `any`, for a listener: every CID of this machine (VMADDR_CID_ANY).
  static constexpr uint32_t kAnyCid = 0xffffffff;
  uint32_t cid = kAnyCid;
  // 0, for a listener: any free port.
  uint32_t port = 0;
};

// vsock+unix:///path:PORT: the host side of a hypervisor that offers its guest's vsock behind a unix socket.
struct HybridVsockAddress {
  // Absolute, at most 107 bytes.
  std::string path;
  // Port in the guest.
  uint32_t port = 0;
};

using Address = std::variant<UnixAddress, TcpAddress, VsockAddress, HybridVsockAddress>;

// INVALID_ARGUMENT says which part is wrong and how to write it.
absl::StatusOr<Address> ParseAddress(absl::string_view text);

// What ParseAddress reads.
std::string FormatAddress(const Address& address);

}  // namespace muster

#endif  // MUSTER_BASE_ADDRESS_H_
