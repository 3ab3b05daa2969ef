#include "daemon/init/machine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
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
#include "daemon/init/report.h"

namespace muster::init {
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

// Each file of the folder, in the order of their names.
void InsertModules() {
  for (const std::string& name : FileNames(kModules)) {
    const UniqueFd fd(open((std::string(kModules) + "/" + name).c_str(), O_RDONLY | O_CLOEXEC));
    const bool inserted = fd.valid() && syscall(SYS_finit_module, fd.get(), "", 0) == 0;
    if (!inserted && errno != EEXIST) Warn("insert module " + name);
  }
}

void BringUpLoopback() {
  const UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return Warn("open a socket");
  ifreq request = {};
  strncpy(request.ifr_name, "lo", IFNAMSIZ - 1);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (ioctl(fd.get(), SIOCSIFFLAGS, &request) != 0) Warn("bring up lo");
}

// Ordinary tasks' share of each CPU, the kernel's 5 %, in pieces of 5 ms every 100 ms. The kernel threads that carry
// vsock are ordinary tasks: while real-time workers spin on every CPU they would wait a second for their turn, and
// every call two of them (sched(7), sched_rt_period_us).
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

// Descriptors for large pools.
void RaiseLimits() {
  constexpr rlim_t kDescriptors = 1 << 20;
  const rlimit limit = {kDescriptors, kDescriptors};
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) Warn("raise the limit of descriptors");
}

void RaisePriority() {
  const sched_param parameters = {sched_get_priority_max(SCHED_FIFO)};
  if (sched_setscheduler(0, SCHED_FIFO, &parameters) != 0) Warn("raise the priority of init");
}

bool IsMounted(const char* where) {
  struct statx status;
  return statx(AT_FDCWD, where, 0, 0, &status) == 0 && (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

}  // namespace

bool TakeMachine() {
  // The kernel takes this command from nobody in another PID namespace than its own (reboot(2)).
  return getpid() == 1 && reboot(RB_DISABLE_CAD) == 0;
}

void MakeMachine() {
  MountFileSystems();
  Stage("up");
  // The kernel gives init none.
  setenv("PATH", "/bin:/sbin:/usr/bin:/usr/sbin", 0);
  InsertModules();
  BringUpLoopback();
  RaiseLimits();
  DealCpuTimeFinely();
  RaisePriority();
  Stage("machine-ready");
}

void MountFileSystems() {
  for (const FileSystem& system : kFileSystems) {
    mkdir(system.where, 0755);
    if (IsMounted(system.where)) continue;
    if (mount(system.type, system.where, system.type, system.flags, nullptr) != 0) {
      Warn(std::string("mount ") + system.type + " on " + system.where);
    }
  }
}

void PowerOff() {
  Stage("power-off");
  kill(-1, SIGKILL);
  sync();
  reboot(RB_POWER_OFF);
  // Only without a way to switch this machine off; the panic of a dying init tells the host.
  _exit(1);
}

}  // namespace muster::init
