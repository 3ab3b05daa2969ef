#include "tools/vm/kernel/vsock_device.h"

#include "tools/vm/kernel/fetched_program.h"
#include "tools/vm/support/program.h"

namespace muster::vm {

absl::StatusOr<std::string> FetchVsockDevice(const KernelOptions& options) {
  const absl::StatusOr<std::string> installed = FindProgram("vhost-device-vsock");
  if (installed.ok()) return installed;
  // Debian 12 has no such package; the newer one's program runs here.
  const std::string suite = options.suite == KernelOptions().suite ? "sid" : options.suite;
  return FetchProgram(
      {.package = "vhost-device-vsock", .path = "usr/bin/vhost-device-vsock", .suite = suite, .folder = "vsock-device"},
      options);
}

}  // namespace muster::vm
