#include "base/instance_tree.h"

#include "base/status_macros.h"

namespace muster {

absl::Status RemoveInstanceTree(const CgroupDir& base, absl::string_view instance, const CgroupDir& locked,
                                Deadline deadline) {
  const absl::StatusOr<CgroupDir> root = base.Open(kRootCgroup);
  if (root.status().code() == absl::StatusCode::kNotFound) return absl::OkStatus();
  RETURN_IF_ERROR(root.status());
  const absl::StatusOr<CgroupDir> current = root->Open(instance);
  if (current.ok() && current->IsSameDirectory(locked)) {
    RETURN_IF_ERROR(RemoveCgroupTree(*root, instance, deadline).status());
  } else if (!current.ok() && current.status().code() != absl::StatusCode::kNotFound) {
    return current.status();
  }
  const absl::Status removed = base.RemoveEmpty(kRootCgroup);
  // Others stand there, or were quicker.
  if (removed.code() == absl::StatusCode::kFailedPrecondition || removed.code() == absl::StatusCode::kNotFound) {
    return absl::OkStatus();
  }
  return removed;
}

}  // namespace muster
