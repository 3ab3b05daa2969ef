#include "daemon/worker_binary.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace muster {
namespace {

constexpr char kName[] = "muster-worker";

bool IsProgram(const std::string& path) {
  struct stat file;
  return stat(path.c_str(), &file) == 0 && S_ISREG(file.st_mode) && access(path.c_str(), X_OK) == 0;
}

// Without links: the daemon may be started through one, and may change its directory.
std::string Resolved(const std::string& path) {
  char resolved[PATH_MAX];
  return realpath(path.c_str(), resolved) == nullptr ? path : std::string(resolved);
}

std::vector<std::string> Candidates(const WorkerBinaryPlaces& places) {
  if (!places.given.empty()) return {places.given};
  std::vector<std::string> candidates = {absl::StrCat(places.own_directory, "/", kName),
                                         absl::StrCat(places.own_directory, "/../worker/", kName)};
  for (absl::string_view directory : absl::StrSplit(places.path, ':', absl::SkipEmpty())) {
    candidates.push_back(absl::StrCat(directory, "/", kName));
  }
  return candidates;
}

}  // namespace

WorkerBinaryPlaces WorkerBinaryPlaces::OfThisProcess(const std::string& given) {
  const std::string self = Resolved("/proc/self/exe");
  const char* path = getenv("PATH");
  return {given, self.substr(0, self.rfind('/')), path == nullptr ? "" : path};
}

absl::StatusOr<std::string> FindWorkerBinary(const WorkerBinaryPlaces& places) {
  const std::vector<std::string> candidates = Candidates(places);
  for (const std::string& candidate : candidates) {
    if (IsProgram(candidate)) return Resolved(candidate);
  }
  return absl::NotFoundError(absl::StrCat("no worker binary: there is no executable file ",
                                          absl::StrJoin(candidates, ", "), "; say where it is with --worker-binary"));
}

}  // namespace muster
