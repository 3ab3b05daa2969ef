#include "tools/vm/run/prepare.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "tools/vm/image/image_flags.h"
#include "tools/vm/image/initramfs.h"
#include "tools/vm/kernel/kernel_store.h"
#include "tools/vm/run/kvm_probe.h"

namespace muster::vm {
namespace {

using Say = std::function<void(const std::string&)>;

void Append(const std::vector<FlagSpec>& more, std::vector<FlagSpec>* specs) {
  specs->insert(specs->end(), more.begin(), more.end());
}

absl::StatusOr<GuestKernel> TakeKernel(const Flags& flags, const Say& say) {
  absl::StatusOr<GuestKernel> kernel = KernelFrom(flags);
  if (kernel.ok()) say(absl::StrCat("kernel: ", kernel->release, ", ", kernel->image));
  return kernel;
}

absl::StatusOr<std::string> TakeImage(const Flags& flags, const GuestKernel& kernel, const Say& say) {
  ASSIGN_OR_RETURN(ImageOptions options, ImageOptionsFrom(flags));
  options.modules = kernel.modules;
  ASSIGN_OR_RETURN(std::string image, BuildInitramfs(options));
  say(absl::StrFormat("image: %.1f MB", image.size() / 1e6));
  return image;
}

// musterd itself takes no tcp from beyond loopback without TLS; our init relays it.
absl::Status CheckIsReached(const GuestOptions& options) {
  const HostVsock& host = options.host_vsock;
  const bool forwarded =
      options.transport == "tcp" || (options.transport == "auto" && !host.kernel && host.device_program.empty());
  if (!options.musterd_is_init || !forwarded) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "--init=musterd: such a guest is reached over vsock only, and here is no vhost-vsock and no vhost-device-vsock "
      "(`muster vm vsock-device` fetches that), or --transport=tcp was asked for");
}

}  // namespace

std::vector<FlagSpec> GuestFlags() {
  std::vector<FlagSpec> specs = {{"kernel", "FILE", "own kernel, bzImage or vmlinux (default: `muster vm kernel`)"},
                                 {"append", "ARGS", "more for the guest's kernel command line"},
                                 {"daemon-arg", "ARG", "one more argument for musterd; may be given again"},
                                 {"accel", "WHICH", "auto (default), kvm, tcg"},
                                 {"transport", "WHICH", "auto (default), vhost-vsock, vhost-device-vsock, tcp"},
                                 {"qemu", "FILE", "default qemu-system-x86_64"}};
  Append(ShapeFlags(), &specs);
  Append(KernelFlags(), &specs);
  Append(ImageFlags(), &specs);
  return specs;
}

absl::StatusOr<GuestOptions> PrepareGuest(const Flags& flags, const Say& say) {
  GuestOptions options;
  ASSIGN_OR_RETURN(options.shape, ShapeFrom(flags));
  say(absl::StrCat("shape: ", Describe(options.shape)));
  ASSIGN_OR_RETURN(const GuestKernel kernel, TakeKernel(flags, say));
  options.kernel = kernel.image;
  options.kernel_held = kernel.held;
  ASSIGN_OR_RETURN(options.image, TakeImage(flags, kernel, say));
  options.kernel_arguments = flags.Get("append");
  options.daemon_arguments = flags.All("daemon-arg");
  options.qemu = flags.Get("qemu", options.qemu);
  options.transport = flags.Get("transport", "auto");
  ASSIGN_OR_RETURN(const KernelOptions store, KernelOptionsFrom(flags));
  options.host_vsock = ProbeHostVsock(store.cache);
  options.musterd_is_init = MusterdIsInit(flags);
  RETURN_IF_ERROR(CheckIsReached(options));
  KvmProbe probe = {store.cache, options};
  probe.sample_is_own = flags.Has("kernel") || flags.Has("append") || flags.Has("init");
  ASSIGN_OR_RETURN(const AcceleratorChoice choice, ChooseAccelerator(flags.Get("accel", "auto"), probe));
  options.accelerator = choice.accelerator;
  say(absl::StrCat("accelerator: ", choice.reason));
  return options;
}

}  // namespace muster::vm
