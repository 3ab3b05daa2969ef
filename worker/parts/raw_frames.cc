#include "worker/parts/raw_frames.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/errno_status.h"
#include "base/status_macros.h"

namespace muster {
namespace {

// Local experimental EtherType 1 (IEEE 802).
constexpr uint16_t kEtherType = 0x88B5;
constexpr char kMarker[] = "MSTR";

absl::StatusOr<ifreq> NamedRequest(const std::string& interface) {
  ifreq request = {};
  if (interface.size() >= sizeof(request.ifr_name)) {
    return absl::InvalidArgumentError(absl::StrCat("interface ", interface, ": the name is too long"));
  }
  memcpy(request.ifr_name, interface.data(), interface.size());
  return request;
}

absl::Status BringUp(int socket, const std::string& interface) {
  ASSIGN_OR_RETURN(ifreq request, NamedRequest(interface));
  if (ioctl(socket, SIOCGIFFLAGS, &request) != 0) return ErrnoStatus(errno, absl::StrCat("flags of ", interface));
  if ((request.ifr_flags & IFF_UP) != 0) return absl::OkStatus();
  request.ifr_flags |= IFF_UP;
  if (ioctl(socket, SIOCSIFFLAGS, &request) != 0)
    return ErrnoStatus(errno, absl::StrCat("bringing ", interface, " up"));
  return absl::OkStatus();
}

absl::Status Bind(int socket, const std::string& interface, uint16_t ether_type) {
  ASSIGN_OR_RETURN(ifreq request, NamedRequest(interface));
  if (ioctl(socket, SIOCGIFINDEX, &request) != 0) return ErrnoStatus(errno, absl::StrCat("index of ", interface));
  sockaddr_ll address = {};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ether_type);
  address.sll_ifindex = request.ifr_ifindex;
  if (bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return ErrnoStatus(errno, absl::StrCat("bind to ", interface));
  }
  return absl::OkStatus();
}

absl::Status CheckLength(int socket, const std::string& interface, size_t frame_bytes) {
  ASSIGN_OR_RETURN(ifreq request, NamedRequest(interface));
  if (ioctl(socket, SIOCGIFMTU, &request) != 0) return ErrnoStatus(errno, absl::StrCat("MTU of ", interface));
  const size_t longest = static_cast<size_t>(request.ifr_mtu) + ETH_HLEN;
  if (frame_bytes <= longest) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("frames of ", frame_bytes, " bytes: the MTU of ", interface, " is ",
                                                 request.ifr_mtu, ", so that it takes no more than ", longest));
}

absl::StatusOr<std::vector<char>> MakeFrame(int socket, const std::string& interface, uint32_t bytes) {
  ASSIGN_OR_RETURN(ifreq request, NamedRequest(interface));
  if (ioctl(socket, SIOCGIFHWADDR, &request) != 0) return ErrnoStatus(errno, absl::StrCat("address of ", interface));
  std::vector<char> frame(std::max<size_t>(bytes, ETH_ZLEN));
  RETURN_IF_ERROR(CheckLength(socket, interface, frame.size()));
  memcpy(frame.data(), request.ifr_hwaddr.sa_data, ETH_ALEN);
  memcpy(frame.data() + ETH_ALEN, request.ifr_hwaddr.sa_data, ETH_ALEN);
  const uint16_t ether_type = htons(kEtherType);
  memcpy(frame.data() + 2 * ETH_ALEN, &ether_type, sizeof(ether_type));
  memcpy(frame.data() + ETH_HLEN, kMarker, strlen(kMarker));
  return frame;
}

bool HasDevice(const char* interface) {
  return access(absl::StrCat("/sys/class/net/", interface, "/device").c_str(), F_OK) == 0;
}

}  // namespace

absl::StatusOr<std::string> FirstNetworkDevice() {
  struct if_nameindex* const interfaces = if_nameindex();
  if (interfaces == nullptr) return ErrnoStatus(errno, "if_nameindex");
  std::string found;
  for (const struct if_nameindex* one = interfaces; one->if_index != 0 && found.empty(); ++one) {
    if (HasDevice(one->if_name)) found = one->if_name;
  }
  if_freenameindex(interfaces);
  if (!found.empty()) return found;
  return absl::NotFoundError("no network interface with a device behind it");
}

bool MaySendRawFrames() { return UniqueFd(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)).valid(); }

absl::StatusOr<RawFrames> RawFrames::Open(const std::string& interface, Direction direction, uint32_t frame_bytes) {
  std::string name = interface;
  if (name.empty()) {
    ASSIGN_OR_RETURN(name, FirstNetworkDevice());
  }
  // Protocol 0 receives nothing; binding names what is to be received.
  UniqueFd socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return ErrnoStatus(errno, "packet socket (needs CAP_NET_RAW)");
  RETURN_IF_ERROR(BringUp(socket.get(), name));
  const timeval slice = {.tv_sec = 0, .tv_usec = 100'000};
  setsockopt(socket.get(), SOL_SOCKET, direction == Direction::kSend ? SO_SNDTIMEO : SO_RCVTIMEO, &slice,
             sizeof(slice));
  RETURN_IF_ERROR(Bind(socket.get(), name, direction == Direction::kSend ? 0 : kEtherType));
  ASSIGN_OR_RETURN(std::vector<char> frame, MakeFrame(socket.get(), name, frame_bytes));
  return RawFrames(std::move(socket), std::move(frame));
}

int RawFrames::Send() const { return send(socket_.get(), frame_.data(), frame_.size(), 0) < 0 ? errno : 0; }

bool RawFrames::Receive() {
  const ssize_t got = recv(socket_.get(), frame_.data(), frame_.size(), 0);
  return got >= static_cast<ssize_t>(ETH_HLEN + strlen(kMarker)) &&
         memcmp(frame_.data() + ETH_HLEN, kMarker, strlen(kMarker)) == 0;
}

}  // namespace muster
