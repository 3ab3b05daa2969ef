#include "tools/vm/image/programs.h"

#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "tools/vm/support/program.h"

namespace muster::vm {
namespace {

namespace fs = std::filesystem;

bool IsFile(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

absl::StatusOr<std::string> Locate(const Flags& flags, const std::string& flag, const ProgramName& name) {
  if (flags.Has(flag)) return flags.Get(flag);
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  const std::string around = FindAround(self.parent_path(), name);
  if (!around.empty()) return around;
  const absl::StatusOr<std::string> on_path = FindProgram(name.installed);
  if (on_path.ok()) return *on_path;
  return absl::NotFoundError(absl::StrCat("find ", name.installed, " for the image: neither beside ", self.string(),
                                          " nor in its build tree (", name.tree, ") nor on PATH; name it with --", flag));
}

absl::StatusOr<ExtraFile> ParseExtra(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, absl::MaxSplits(':', 1));
  if (parts.size() != 2 || parts[0].empty() || parts[1].empty()) {
    return absl::InvalidArgumentError(absl::StrCat("--add=", text, ": GUEST:HOST is needed, as opt/tool:/usr/bin/tool"));
  }
  return ExtraFile{parts[0], parts[1]};
}

}  // namespace

std::vector<FlagSpec> ImageFlags() {
  return {{"musterd", "FILE", "static musterd for the guest"},
          {"worker", "FILE", "static muster-worker for the guest"},
          {"init", "FILE", "static init for the guest"},
          {"modules", "DIR", "lib/modules/RELEASE of an own kernel"},
          {"add", "GUEST:HOST", "one more program for the image; may be given again"}};
}

std::string FindAround(const std::string& directory, const ProgramName& name) {
  if (IsFile(fs::path(directory) / name.installed)) return fs::path(directory) / name.installed;
  for (fs::path at = directory; at.has_relative_path(); at = at.parent_path()) {
    if (IsFile(at / name.tree)) return at / name.tree;
  }
  return "";
}

absl::StatusOr<ImageOptions> ImageOptionsFrom(const Flags& flags) {
  ImageOptions options;
  ASSIGN_OR_RETURN(options.init, Locate(flags, "init", {"muster-guest-init", "tools/vm/init/init"}));
  ASSIGN_OR_RETURN(options.musterd, Locate(flags, "musterd", {"musterd-static", "daemon/musterd-static"}));
  ASSIGN_OR_RETURN(options.worker, Locate(flags, "worker", {"muster-worker", "worker/muster-worker"}));
  for (const std::string& text : flags.All("add")) {
    ASSIGN_OR_RETURN(ExtraFile extra, ParseExtra(text));
    options.extra.push_back(std::move(extra));
  }
  return options;
}

}  // namespace muster::vm
