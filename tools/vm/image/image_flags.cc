#include "tools/vm/image/image_flags.h"

#include <stdlib.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "tools/cli/programs.h"
#include "tools/vm/kernel/kernel_store.h"
#include "tools/vm/scheduler/scheduler_files.h"

namespace muster::vm {
namespace {

absl::StatusOr<std::string> Locate(const Flags& flags, ProgramQuery query) {
  query.flag_value = flags.Get(query.flag);
  ASSIGN_OR_RETURN(const std::string own_directory, OwnDirectory());
  const char* const path = getenv("PATH");
  return FindProgram(query, own_directory, path != nullptr ? path : "");
}

absl::StatusOr<ExtraFile> ParseExtra(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, absl::MaxSplits(':', 1));
  if (parts.size() != 2 || parts[0].empty() || parts[1].empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--add=", text, ": GUEST:HOST is needed, as opt/tool:/usr/bin/tool"));
  }
  return ExtraFile{parts[0], parts[1]};
}

}  // namespace

std::vector<FlagSpec> ImageFlags() {
  return {{"musterd", "FILE", "static musterd for the guest"},
          {"muster-worker", "FILE", "static muster-worker for the guest"},
          {"init", "FILE", "static init for the guest; musterd: musterd itself is its pid 1"},
          {"modules", "DIR", "lib/modules/RELEASE of an own kernel"},
          {"scheduler", "OBJ", "sched_ext scheduler that the guest loads before musterd; --suite is then sid"},
          {"add", "GUEST:HOST", "one more program for the image; may be given again"}};
}

bool MusterdIsInit(const Flags& flags) { return flags.Get("init") == "musterd"; }

absl::StatusOr<ImageOptions> ImageOptionsFrom(const Flags& flags) {
  ImageOptions options;
  if (MusterdIsInit(flags) && flags.Has("scheduler"))
    return absl::InvalidArgumentError("--scheduler: muster-guest-init loads it, and --init=musterd leaves that out");
  if (!MusterdIsInit(flags)) {
    ASSIGN_OR_RETURN(options.init, Locate(flags, {"muster-guest-init", "tools/vm/init", "init", ""}));
  }
  ASSIGN_OR_RETURN(options.musterd, Locate(flags, {"musterd-static", "daemon", "musterd", ""}));
  ASSIGN_OR_RETURN(options.worker, Locate(flags, {"muster-worker", "worker", "muster-worker", ""}));
  if (flags.Has("scheduler")) {
    ASSIGN_OR_RETURN(const KernelOptions store, KernelOptionsFrom(flags));
    ASSIGN_OR_RETURN(options.scheduler, SchedulerFiles(flags.Get("scheduler"), store));
  }
  for (const std::string& text : flags.All("add")) {
    ASSIGN_OR_RETURN(ExtraFile extra, ParseExtra(text));
    options.extra.push_back(std::move(extra));
  }
  return options;
}

}  // namespace muster::vm
