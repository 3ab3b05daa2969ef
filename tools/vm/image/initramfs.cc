#include "tools/vm/image/initramfs.h"

#include <fcntl.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "base/file_io.h"
#include "base/status_macros.h"
#include "tools/vm/image/cpio.h"
#include "tools/vm/image/elf_strip.h"
#include "tools/vm/kernel/modules.h"
#include "tools/vm/support/program.h"

namespace muster::vm {
namespace {

constexpr size_t kMaxProgramBytes = size_t{1} << 30;
// Where the kernel looks for it.
constexpr char kInit[] = "init";
constexpr char kDaemon[] = "bin/musterd";

struct GuestProgram {
  std::string guest_path;
  std::string host_path;
};

absl::Status AddProgram(const GuestProgram& program, CpioWriter* writer) {
  ASSIGN_OR_RETURN(const std::string content, ReadFileAt(AT_FDCWD, program.host_path, kMaxProgramBytes));
  if (NeedsLoader(content)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "put ", program.host_path, " into the image: it is linked dynamically, and a guest has no libraries"));
  }
  return writer->AddFile(program.guest_path, 0755, StripElf(content));
}

absl::Status AddAsItIs(const ExtraFile& file, CpioWriter* writer) {
  ASSIGN_OR_RETURN(const std::string content, ReadFileAt(AT_FDCWD, file.host_path, kMaxProgramBytes));
  return writer->AddFile(file.guest_path, 0755, content);
}

absl::Status AddFolders(CpioWriter* writer) {
  for (const char* folder : {"dev", "proc", "sys", "run", "tmp", "modules", "bin"}) {
    RETURN_IF_ERROR(writer->AddDirectory(folder, 0755));
  }
  // The kernel opens it for init before anything is mounted.
  return writer->AddCharDevice("dev/console", 0600, {5, 1});
}

absl::Status AddModules(const std::string& directory, CpioWriter* writer) {
  if (directory.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::vector<KernelModule> modules, LoadModules(directory, GuestModules()));
  int number = 0;
  for (const KernelModule& module : modules) {
    // Init inserts them in the order of their names.
    RETURN_IF_ERROR(
        writer->AddFile(absl::StrFormat("modules/%02d-%s.ko", number++, module.name), 0644, module.content));
  }
  return absl::OkStatus();
}

}  // namespace

const std::vector<std::string>& GuestModules() {
  static const std::vector<std::string>& modules =
      *new std::vector<std::string>{"virtio_pci", "vmw_vsock_virtio_transport", "vsock_loopback", "virtio_net"};
  return modules;
}

absl::StatusOr<std::string> BuildInitramfs(const ImageOptions& options) {
  CpioWriter writer;
  RETURN_IF_ERROR(AddFolders(&writer));
  RETURN_IF_ERROR(AddModules(options.modules, &writer));
  std::vector<GuestProgram> programs = {{kDaemon, options.musterd}, {"bin/muster-worker", options.worker}};
  if (!options.init.empty()) programs.push_back({kInit, options.init});
  if (options.init.empty()) RETURN_IF_ERROR(writer.AddSymlink(kInit, kDaemon));
  for (const ExtraFile& extra : options.extra) programs.push_back({extra.guest_path, extra.host_path});
  for (const GuestProgram& program : programs) RETURN_IF_ERROR(AddProgram(program, &writer));
  for (const ExtraFile& file : options.scheduler) RETURN_IF_ERROR(AddAsItIs(file, &writer));
  return std::move(writer).Finish();
}

absl::StatusOr<std::string> Compress(const std::string& archive) {
  return RunProgram({{"gzip", "-c"}, archive, absl::Minutes(2)});
}

}  // namespace muster::vm
