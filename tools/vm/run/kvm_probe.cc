#include "tools/vm/run/kvm_probe.h"

#include <fcntl.h>
#include <sys/utsname.h>

#include <functional>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/deadline.h"
#include "base/file_io.h"
#include "base/status_macros.h"
#include "tools/vm/exit_codes.h"
#include "tools/vm/support/cache.h"

namespace muster::vm {
namespace {

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

// False: it ran, and init did not come up. An error has told nothing about KVM.
absl::StatusOr<bool> BootsUnderKvm(const KvmProbe& probe) {
  GuestOptions options = probe.sample;
  options.accelerator = Accelerator::kKvm;
  options.transport = "tcp";
  options.may_be_kept = false;
  ASSIGN_OR_RETURN(const std::unique_ptr<Guest> guest, Guest::Launch(options));
  const std::optional<GuestFailure> failure = guest->WaitForInit(Deadline::After(probe.limit));
  if (failure.has_value() && (failure->code == kExitPanicked || probe.sample_is_own))
    return absl::FailedPreconditionError(failure->message.substr(0, failure->message.find('\n')));
  return !failure.has_value();
}

AcceleratorChoice Choice(bool kvm, const std::string& when) {
  if (kvm) return {Accelerator::kKvm, absl::StrCat("KVM (", when, ")")};
  return {Accelerator::kTcg, absl::StrCat("software emulation: under KVM no guest boots here (", when, ")")};
}

}  // namespace

absl::StatusOr<AcceleratorChoice> ChooseAccelerator(const std::string& wanted, const KvmProbe& probe) {
  if (wanted == "kvm") return AcceleratorChoice{Accelerator::kKvm, "KVM, as asked"};
  if (wanted == "tcg") return AcceleratorChoice{Accelerator::kTcg, "software emulation, as asked"};
  if (wanted != "auto")
    return absl::InvalidArgumentError(absl::StrCat("--accel=", wanted, ": one of auto, kvm, tcg is needed"));
  if (!OpenAt(AT_FDCWD, probe.device, O_RDWR).ok()) {
    return AcceleratorChoice{Accelerator::kTcg,
                             absl::StrCat("software emulation: ", probe.device, " cannot be opened")};
  }
  const std::string path = MemoryPath(probe.cache);
  const absl::StatusOr<std::string> remembered = ReadFile(path);
  if (remembered.ok())
    return Choice(*remembered == "kvm", absl::StrCat("tried before; remove ", path, " to try again"));
  const absl::StatusOr<bool> boots = BootsUnderKvm(probe);
  if (!boots.ok()) {
    return AcceleratorChoice{Accelerator::kTcg,
                             absl::StrCat("software emulation for this run: under KVM: ", boots.status().message())};
  }
  RETURN_IF_ERROR(MakeDirectories(probe.cache + "/kvm-probe"));
  RETURN_IF_ERROR(WriteFileAtomically(path, *boots ? "kvm" : "tcg"));
  return Choice(*boots, "tried now");
}

}  // namespace muster::vm
