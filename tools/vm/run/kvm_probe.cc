#include "tools/vm/run/kvm_probe.h"

#include <fcntl.h>
#include <sys/utsname.h>

#include <functional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "base/file_io.h"
#include "base/status_macros.h"
#include "tools/vm/support/cache.h"

namespace muster::vm {
namespace {

constexpr char kDevice[] = "/dev/kvm";
// Under KVM init is up within a second or two.
constexpr absl::Duration kProbeLimit = absl::Seconds(8);

std::string CpuModel() {
  const absl::StatusOr<std::string> info = ReadFile("/proc/cpuinfo");
  if (!info.ok()) return "";
  for (absl::string_view line : absl::StrSplit(*info, '\n')) {
    if (absl::ConsumePrefix(&line, "model name")) return std::string(line);
  }
  return "";
}

// One file per machine: its id, its kernel, its CPU.
std::string MemoryPath(const std::string& cache) {
  utsname name = {};
  uname(&name);
  const absl::StatusOr<std::string> id = ReadFile("/etc/machine-id");
  const std::string machine = absl::StrCat(id.ok() ? *id : "", name.release, name.version, CpuModel());
  return absl::StrCat(cache, "/kvm-probe/", absl::Hex(std::hash<std::string>()(machine)));
}

bool BootsUnderKvm(GuestOptions sample) {
  sample.accelerator = Accelerator::kKvm;
  sample.transport = "tcp";
  sample.may_be_kept = false;
  absl::StatusOr<std::unique_ptr<Guest>> guest = Guest::Launch(sample);
  return guest.ok() && !(*guest)->WaitForInit(Deadline::After(kProbeLimit)).has_value();
}

}  // namespace

absl::StatusOr<AcceleratorChoice> ChooseAccelerator(const std::string& wanted, const std::string& cache,
                                                    GuestOptions sample) {
  if (wanted == "kvm") return AcceleratorChoice{Accelerator::kKvm, "KVM, as asked"};
  if (wanted == "tcg") return AcceleratorChoice{Accelerator::kTcg, "software emulation, as asked"};
  if (wanted != "auto")
    return absl::InvalidArgumentError(absl::StrCat("--accel=", wanted, ": one of auto, kvm, tcg is needed"));
  if (!OpenAt(AT_FDCWD, kDevice, O_RDWR).ok())
    return AcceleratorChoice{Accelerator::kTcg, "software emulation: /dev/kvm cannot be opened"};
  const std::string path = MemoryPath(cache);
  absl::StatusOr<std::string> remembered = ReadFile(path);
  const bool probed = !remembered.ok();
  if (probed) {
    remembered = BootsUnderKvm(std::move(sample)) ? "kvm" : "tcg";
    RETURN_IF_ERROR(MakeDirectories(cache + "/kvm-probe"));
    RETURN_IF_ERROR(WriteFileAtomically(path, *remembered));
  }
  const std::string when = probed ? "tried now" : absl::StrCat("tried before; remove ", path, " to try again");
  if (*remembered == "kvm") return AcceleratorChoice{Accelerator::kKvm, absl::StrCat("KVM (", when, ")")};
  return AcceleratorChoice{Accelerator::kTcg,
                           absl::StrCat("software emulation: under KVM no guest boots here (", when, ")")};
}

}  // namespace muster::vm
