#include "tools/vm/scheduler/loader.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "tools/vm/kernel/fetched_program.h"
#include "tools/vm/support/program.h"

namespace muster::vm {
namespace {

constexpr absl::Duration kQuick = absl::Seconds(30);
constexpr char kSuite[] = "bookworm-backports";

absl::StatusOr<std::string> InstalledBpftool() {
  // /usr/sbin is not on every user's PATH.
  absl::StatusOr<std::string> path = FindProgram("bpftool");
  if (!path.ok()) path = FindProgram("/usr/sbin/bpftool");
  RETURN_IF_ERROR(path.status());
  ASSIGN_OR_RETURN(const std::string version, RunProgram({{*path, "version"}, "", kQuick}));
  if (!KnowsSchedExt(version)) return absl::NotFoundError(absl::StrCat(*path, " is too old"));
  return path;
}

}  // namespace

bool KnowsSchedExt(absl::string_view version) {
  constexpr absl::string_view kKey = "using libbpf v";
  const size_t at = version.find(kKey);
  if (at == absl::string_view::npos) return false;
  const absl::string_view number = version.substr(at + kKey.size());
  const std::vector<std::string> parts = absl::StrSplit(number.substr(0, number.find('\n')), '.');
  int major = 0;
  int minor = 0;
  if (parts.size() < 2 || !absl::SimpleAtoi(parts[0], &major) || !absl::SimpleAtoi(parts[1], &minor)) return false;
  return std::pair(major, minor) >= std::pair(1, 4);
}

absl::StatusOr<std::string> FetchBpftool(const KernelOptions& options) {
  const absl::StatusOr<std::string> installed = InstalledBpftool();
  if (installed.ok()) return installed;
  return FetchProgram({.package = "bpftool", .path = "usr/sbin/bpftool", .suite = kSuite, .folder = "bpftool"},
                      options);
}

absl::StatusOr<std::vector<Library>> ParseLdd(absl::string_view output) {
  std::vector<Library> libraries;
  for (absl::string_view line : absl::StrSplit(output, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    const std::vector<std::string> sides = absl::StrSplit(line, absl::MaxSplits(" => ", 1));
    const std::string file = sides.back().substr(0, sides.back().find(" ("));
    if (sides.size() == 2 && absl::StartsWith(file, "not found"))
      return absl::NotFoundError(absl::StrCat("the library ", sides[0], " is not on this machine"));
    // The one that stands there with its path alone is the dynamic loader; the kernel's own page has no path.
    if (sides.size() == 2) libraries.push_back({sides[0], file});
    if (sides.size() == 1 && absl::StartsWith(file, "/")) libraries.push_back({"ld.so", file});
  }
  return libraries;
}

absl::StatusOr<std::vector<Library>> LibrariesOf(const std::string& program) {
  ASSIGN_OR_RETURN(const std::string output, RunProgram({{"ldd", program}, "", kQuick}));
  absl::StatusOr<std::vector<Library>> libraries = ParseLdd(output);
  if (!libraries.ok())
    return absl::Status(libraries.status().code(),
                        absl::StrCat("find the libraries of ", program, ": ", libraries.status().message()));
  return libraries;
}

}  // namespace muster::vm
