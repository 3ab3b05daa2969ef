// Names of cgroups as users write them.
#ifndef MUSTER_DAEMON_CGROUP_NAME_H_
#define MUSTER_DAEMON_CGROUP_NAME_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace muster {

// Path of a cgroup relative to the workload root, as "cg0" or "a/b": validated, so that it cannot leave the root. Value
// type.
class CgroupPath {
 public:
  static constexpr size_t kMaxBytes = 1000;
  static constexpr size_t kMaxComponentBytes = 200;
  static constexpr size_t kMaxDepth = 16;

  // What a user may name. INVALID_ARGUMENT begins with `field` ("spec.name") and says what to write instead.
  static absl::StatusOr<CgroupPath> Parse(absl::string_view name, absl::string_view field);

  // A pool's own cgroup, ".pool-<id>": begins with a dot, so that no user's name clashes with it.
  static absl::StatusOr<CgroupPath> OfPool(absl::string_view pool_id);

  const std::string& text() const { return text_; }
  const std::vector<std::string>& components() const { return components_; }
  // The first `count` components, joined.
  std::string Prefix(size_t count) const;

 private:
  CgroupPath(absl::string_view text);

  std::string text_;
  std::vector<std::string> components_;
};

// Name of a daemon's instance: one component of letters, digits, '-', '_' and '.', not beginning with a dot, at most 64
// bytes.
absl::Status CheckInstanceName(absl::string_view name);

}  // namespace muster

#endif  // MUSTER_DAEMON_CGROUP_NAME_H_
