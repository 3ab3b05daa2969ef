#include "tools/vm/init/network.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "base/unique_fd.h"
#include "daemon/init/report.h"

namespace muster::guest {
namespace {

constexpr char kCard[] = "eth0";

ifreq Request() {
  ifreq request = {};
  strncpy(request.ifr_name, kCard, IFNAMSIZ - 1);
  return request;
}

void SetAddress(int socket, unsigned long what, const char* address) {
  ifreq request = Request();
  sockaddr_in inet = {};
  inet.sin_family = AF_INET;
  inet_pton(AF_INET, address, &inet.sin_addr);
  memcpy(&request.ifr_addr, &inet, sizeof(inet));
  if (ioctl(socket, what, &request) != 0) init::Warn(std::string("set address of ") + kCard);
}

void SetUp(int socket) {
  ifreq request = Request();
  if (ioctl(socket, SIOCGIFFLAGS, &request) != 0) return init::Warn(std::string("read flags of ") + kCard);
  request.ifr_flags |= IFF_UP | IFF_RUNNING;
  if (ioctl(socket, SIOCSIFFLAGS, &request) != 0) init::Warn(std::string("bring up ") + kCard);
}

}  // namespace

void ConfigureCard() {
  if (access("/sys/class/net/eth0", F_OK) != 0) return;
  const UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return init::Warn("open a socket");
  SetAddress(fd.get(), SIOCSIFADDR, "10.0.2.15");
  SetAddress(fd.get(), SIOCSIFNETMASK, "255.255.255.0");
  SetUp(fd.get());
}

}  // namespace muster::guest
