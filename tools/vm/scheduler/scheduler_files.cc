#include "tools/vm/scheduler/scheduler_files.h"

#include <fcntl.h>

#include "absl/strings/str_cat.h"
#include "base/file_io.h"
#include "base/status_macros.h"
#include "tools/vm/scheduler/bpf_object.h"
#include "tools/vm/scheduler/loader.h"

namespace muster::vm {
namespace {

constexpr size_t kMaxObjectBytes = size_t{256} << 20;

absl::Status Explain(const absl::Status& status, const std::string& act) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(act, ": ", status.message()));
}

}  // namespace

absl::Status CheckScheduler(const std::string& object) {
  ASSIGN_OR_RETURN(const std::string content, ReadFileAt(AT_FDCWD, object, kMaxObjectBytes));
  return Explain(CheckSchedulerObject(content), absl::StrCat("load scheduler ", object));
}

absl::StatusOr<std::vector<ExtraFile>> SchedulerFiles(const std::string& object, const KernelOptions& options) {
  RETURN_IF_ERROR(CheckScheduler(object));
  const absl::StatusOr<std::string> loader = FetchBpftool(options);
  RETURN_IF_ERROR(Explain(loader.status(), "fetch bpftool, which loads schedulers"));
  ASSIGN_OR_RETURN(const std::vector<Library> libraries, LibrariesOf(*loader));
  std::vector<ExtraFile> files = {{"scheduler/object", object}, {"scheduler/bpftool", *loader}};
  for (const Library& library : libraries) files.push_back({"scheduler/lib/" + library.name, library.path});
  return files;
}

}  // namespace muster::vm
