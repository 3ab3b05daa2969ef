#include "tools/vm/kernel/vsock_device.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/deadline.h"
#include "base/status_macros.h"
#include "tools/vm/kernel/apt_archive.h"
#include "tools/vm/support/cache.h"
#include "tools/vm/support/program.h"

namespace muster::vm {

absl::StatusOr<std::string> FetchVsockDevice(const KernelOptions& options) {
  const absl::StatusOr<std::string> installed = FindProgram("vhost-device-vsock");
  if (installed.ok()) return installed;
  const std::string folder = options.cache + "/vsock-device";
  const std::string path = folder + "/usr/bin/vhost-device-vsock";
  RETURN_IF_ERROR(MakeDirectories(folder));
  ASSIGN_OR_RETURN(const FileLock lock, FileLock::Acquire(folder + "/lock", Deadline::After(absl::Minutes(10))));
  if (access(path.c_str(), X_OK) == 0) return path;
  AptOptions apt;
  // Debian 12 has no such package; the newer one's program runs here.
  apt.suite = options.suite == KernelOptions().suite ? "sid" : options.suite;
  apt.directory = absl::StrCat(options.cache, "/apt/", apt.suite);
  apt.mirror = options.mirror;
  ASSIGN_OR_RETURN(const AptArchive archive, AptArchive::Open(apt));
  RETURN_IF_ERROR(archive.Unpack({"vhost-device-vsock"}, folder));
  return FindProgram(path);
}

}  // namespace muster::vm
