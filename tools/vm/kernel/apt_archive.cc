#include "tools/vm/kernel/apt_archive.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "tools/vm/support/cache.h"
#include "tools/vm/support/program.h"

namespace muster::vm {
namespace {

constexpr char kKeyring[] = "/usr/share/keyrings/debian-archive-keyring.gpg";
constexpr absl::Duration kNetworkLimit = absl::Minutes(5);

// The archive that the host's apt is set up with; the first line is the one that its sources name first.
absl::StatusOr<std::string> HostMirror() {
  ASSIGN_OR_RETURN(
      const std::string sites,
      RunProgram({{"apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages", "Component: main"},
                  "",
                  absl::Seconds(30)}));
  const std::string first = sites.substr(0, sites.find('\n'));
  if (first.empty())
    return absl::NotFoundError("find a Debian mirror: the host's apt has no sources; name one with --mirror");
  return first;
}

// apt.conf(5): every folder and file that apt would otherwise take from the host.
std::vector<std::string> PrivateState(const std::string& directory) {
  const std::pair<std::string, std::string> settings[] = {
      {"Dir::State", directory},
      {"Dir::State::Lists", directory + "/lists"},
      {"Dir::State::status", directory + "/status"},
      {"Dir::Cache", directory},
      {"Dir::Cache::Archives", directory + "/archives"},
      {"Dir::Etc::SourceList", directory + "/sources.list"},
      {"Dir::Etc::SourceParts", "/dev/null"},
      // Our folder need not be readable for apt's own user.
      {"APT::Sandbox::User", "root"},
      {"Acquire::Languages", "none"},
      {"APT::Architecture", "amd64"},
      {"APT::Architectures", "amd64"},
  };
  std::vector<std::string> arguments;
  for (const auto& [name, value] : settings) {
    arguments.push_back("-o");
    arguments.push_back(absl::StrCat(name, "=", value));
  }
  return arguments;
}

absl::Status WriteState(const AptOptions& options, const std::string& mirror) {
  RETURN_IF_ERROR(MakeDirectories(options.directory + "/lists/partial"));
  RETURN_IF_ERROR(MakeDirectories(options.directory + "/archives/partial"));
  RETURN_IF_ERROR(WriteFileAtomically(options.directory + "/status", ""));
  return WriteFileAtomically(
      options.directory + "/sources.list",
      absl::StrCat("deb [arch=amd64 signed-by=", kKeyring, "] ", mirror, " ", options.suite, " main\n"));
}

bool HasPrefix(const std::string& name, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const std::string& prefix) { return absl::StartsWith(name, prefix); });
}

}  // namespace

std::vector<std::string> ParseDepends(const std::string& paragraph) {
  std::vector<std::string> names;
  for (absl::string_view line : absl::StrSplit(paragraph, '\n')) {
    if (!absl::ConsumePrefix(&line, "Depends:")) continue;
    for (absl::string_view entry : absl::StrSplit(line, ',')) {
      entry = absl::StripAsciiWhitespace(entry);
      names.emplace_back(entry.substr(0, entry.find_first_of(" (|:")));
    }
  }
  return names;
}

absl::StatusOr<AptArchive> AptArchive::Open(const AptOptions& options) {
  std::string mirror = options.mirror;
  if (mirror.empty()) {
    ASSIGN_OR_RETURN(mirror, HostMirror());
  }
  RETURN_IF_ERROR(WriteState(options, mirror));
  AptArchive archive(options, PrivateState(options.directory));
  RETURN_IF_ERROR(archive.Run("apt-get", {"-q", "--error-on=any", "update"}).status());
  return archive;
}

absl::StatusOr<std::string> AptArchive::Run(const std::string& program,
                                            const std::vector<std::string>& arguments) const {
  std::vector<std::string> all = {program};
  all.insert(all.end(), settings_.begin(), settings_.end());
  all.insert(all.end(), arguments.begin(), arguments.end());
  absl::StatusOr<std::string> out = RunProgram({all, "", kNetworkLimit});
  if (!out.ok())
    return absl::Status(out.status().code(), absl::StrCat("suite ", options_.suite, ": ", out.status().message()));
  return out;
}

absl::StatusOr<std::vector<std::string>> AptArchive::Resolve(const std::string& package,
                                                             const std::vector<std::string>& prefixes) const {
  std::vector<std::string> found = {package};
  for (size_t i = 0; i < found.size(); ++i) {
    ASSIGN_OR_RETURN(const std::string paragraph, Run("apt-cache", {"show", "--no-all-versions", found[i]}));
    if (paragraph.empty())
      return absl::NotFoundError(absl::StrCat("suite ", options_.suite, " has no package ", found[i]));
    for (const std::string& name : ParseDepends(paragraph)) {
      if (HasPrefix(name, prefixes) && std::count(found.begin(), found.end(), name) == 0) found.push_back(name);
    }
  }
  return found;
}

absl::Status AptArchive::Unpack(const std::vector<std::string>& packages, const std::string& target) const {
  // --download-only would want their whole dependencies, as the host's status is not known here; download does not.
  const std::string debs = target + "/.debs";
  RETURN_IF_ERROR(MakeDirectories(debs));
  std::string script = "cd \"$1\" && shift && exec apt-get \"$@\"";
  std::vector<std::string> call = {"sh", "-c", script, "sh", debs};
  call.insert(call.end(), settings_.begin(), settings_.end());
  call.insert(call.end(), {"-q", "download"});
  call.insert(call.end(), packages.begin(), packages.end());
  RETURN_IF_ERROR(RunProgram({call, "", kNetworkLimit}).status());
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(debs, error)) {
    RETURN_IF_ERROR(RunProgram({{"dpkg", "-x", entry.path(), target}, "", absl::Minutes(1)}).status());
  }
  std::filesystem::remove_all(debs, error);
  return absl::OkStatus();
}

}  // namespace muster::vm
