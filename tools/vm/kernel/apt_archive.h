// Packages of a Debian suite, fetched and unpacked without touching what the host's own apt knows or has installed.
#ifndef MUSTER_TOOLS_VM_KERNEL_APT_ARCHIVE_H_
#define MUSTER_TOOLS_VM_KERNEL_APT_ARCHIVE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace muster::vm {

struct AptOptions {
  // Folder for the lists and archives of this suite.
  std::string directory;
  // As "bookworm", "bookworm-backports", "sid".
  std::string suite;
  // Archive to use; empty: the one that the host's apt uses.
  std::string mirror;
};

class AptArchive {
 public:
  // Writes the state folder and fetches the suite's package list. Needs apt, the Debian archive keyring and a reachable
  // mirror.
  static absl::StatusOr<AptArchive> Open(const AptOptions& options);

  // `package` and all that it depends on, directly or not, among those whose name starts with one of `prefixes`.
  // NOT_FOUND: the suite has no such package.
  absl::StatusOr<std::vector<std::string>> Resolve(const std::string& package,
                                                   const std::vector<std::string>& prefixes) const;

  // Downloads the packages and unpacks them all into `target`, which must exist. Runs none of their scripts.
  absl::Status Unpack(const std::vector<std::string>& packages, const std::string& target) const;

 private:
  AptArchive(AptOptions options, std::vector<std::string> settings)
      : options_(std::move(options)), settings_(std::move(settings)) {}
  absl::StatusOr<std::string> Run(const std::string& program, const std::vector<std::string>& arguments) const;

  AptOptions options_;
  // "-o", "Name=value", ...
  std::vector<std::string> settings_;
};

// Names of the packages in the Depends: field of a control paragraph, versions and alternatives after the first left
// out.
std::vector<std::string> ParseDepends(const std::string& paragraph);

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_KERNEL_APT_ARCHIVE_H_
