#include "tools/vm/init/machine.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "tools/vm/init/report.h"

namespace muster::guest {
namespace {

constexpr char kModules[] = "/modules";
constexpr char kFairServers[] = "/sys/kernel/debug/sched/fair_server";

struct FileSystem {
  const char* type;
  const char* where;
  unsigned long flags;
};

constexpr unsigned long kPlain = MS_NOSUID | MS_NODEV | MS_NOEXEC;

constexpr FileSystem kFileSystems[] = {
    {"proc", "/proc", kPlain},
    {"sysfs", "/sys", kPlain},
    {"devtmpfs", "/dev", MS_NOSUID},
    {"tmpfs", "/dev/shm", kPlain},
    {"cgroup2", "/sys/fs/cgroup", kPlain},
    {"tmpfs", "/run", MS_NOSUID | MS_NODEV},
    {"tmpfs", "/tmp", MS_NOSUID | MS_NODEV},
    {"debugfs", "/sys/kernel/debug", kPlain},
};

bool WriteTo(const std::string& path, const std::string& text) {
  const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  const bool written = fd.valid() && write(fd.get(), text.data(), text.size()) >= 0;
  if (!written) Warn("write " + text + " to " + path);
  return written;
}

std::vector<std::string> FileNames(const char* directory) {
  std::vector<std::string> names;
  DIR* dir = opendir(directory);
  if (dir == nullptr) return names;
  while (const dirent* entry = readdir(dir)) {
    if (entry->d_name[0] != '.') names.push_back(entry->d_name);
  }
  closedir(dir);
  std::sort(names.begin(), names.end());
  return names;
}

void SetFlagsUp(int socket, const char* interface) {
  ifreq request = {};
  strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
  if (ioctl(socket, SIOCGIFFLAGS, &request) != 0) return Warn(std::string("read flags of ") + interface);
  request.ifr_flags |= IFF_UP | IFF_RUNNING;
  if (ioctl(socket, SIOCSIFFLAGS, &request) != 0) Warn(std::string("bring up ") + interface);
}

void SetAddress(int socket, const char* interface, unsigned long what, const char* address) {
  ifreq request = {};
  strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
  sockaddr_in inet = {};
  inet.sin_family = AF_INET;
  inet_pton(AF_INET, address, &inet.sin_addr);
  memcpy(&request.ifr_addr, &inet, sizeof(inet));
  if (ioctl(socket, what, &request) != 0) Warn(std::string("set address of ") + interface);
}

}  // namespace

void MountFileSystems() {
  for (const FileSystem& system : kFileSystems) {
    mkdir(system.where, 0755);
    if (mount(system.type, system.where, system.type, system.flags, nullptr) != 0) {
      Warn(std::string("mount ") + system.type + " on " + system.where);
    }
  }
}

void InsertModules() {
  for (const std::string& name : FileNames(kModules)) {
    const UniqueFd fd(open((std::string(kModules) + "/" + name).c_str(), O_RDONLY | O_CLOEXEC));
    const bool inserted = fd.valid() && syscall(SYS_finit_module, fd.get(), "", 0) == 0;
    if (!inserted && errno != EEXIST) Warn("insert module " + name);
  }
}

void ConfigureNetwork() {
  const UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return Warn("open a socket");
  SetFlagsUp(fd.get(), "lo");
  if (access("/sys/class/net/eth0", F_OK) != 0) return;
  SetAddress(fd.get(), "eth0", SIOCSIFADDR, "10.0.2.15");
  SetAddress(fd.get(), "eth0", SIOCSIFNETMASK, "255.255.255.0");
  SetFlagsUp(fd.get(), "eth0");
}

void DealCpuTimeFinely() {
  // The runtime first: it may never exceed the period. The period only then: alone it would be a larger share.
  const std::string kernel = "/proc/sys/kernel";
  if (WriteTo(kernel + "/sched_rt_runtime_us", "95000")) WriteTo(kernel + "/sched_rt_period_us", "100000");
  // Since Linux 6.12 a server of each CPU gives ordinary tasks their share.
  for (const std::string& cpu : FileNames(kFairServers)) {
    const std::string server = kFairServers + ("/" + cpu);
    if (WriteTo(server + "/runtime", "5000000")) WriteTo(server + "/period", "100000000");
  }
}

void RaiseLimits() {
  constexpr rlim_t kDescriptors = 1 << 20;
  const rlimit limit = {kDescriptors, kDescriptors};
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) Warn("raise the limit of descriptors");
}

void PowerOff() {
  Stage("power-off");
  kill(-1, SIGKILL);
  reboot(RB_POWER_OFF);
  // Only without a way to switch this machine off; the panic of a dying init tells the host.
  _exit(1);
}

}  // namespace muster::guest
