#include "daemon/init/report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

namespace muster::init {

void Warn(const std::string& what) {
  dprintf(STDERR_FILENO, "muster-init: %s: %s\n", what.c_str(), strerrorname_np(errno));
}

void Stage(const std::string& stage) {
  timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  const long long ms = now.tv_sec * 1000LL + now.tv_nsec / 1000000;
  dprintf(STDOUT_FILENO, "muster-init: %s uptime_ms=%lld\n", stage.c_str(), ms);
}

}  // namespace muster::init
