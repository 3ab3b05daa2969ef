#include "daemon/cgroup/supervisor_leaf.h"

#include "base/instance_tree.h"
#include "base/status_macros.h"

namespace muster {
namespace {

// Another daemon may remove the leaf between its making and the move, once for each time that it ends.
constexpr int kAttempts = 100;

absl::Status MoveIntoLeaf(const CgroupDir& base) {
  absl::Status moved;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const absl::StatusOr<CgroupDir> leaf = base.Create(kSupervisorCgroup);
    moved = leaf.ok() ? leaf->MoveSelfHere() : leaf.status();
    if (moved.code() != absl::StatusCode::kNotFound) return moved;
  }
  return moved;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SupervisorLeaf>> SupervisorLeaf::Enter(const CgroupDir& base, const CgroupDir& own) {
  ASSIGN_OR_RETURN(CgroupDir base_copy, base.Duplicate());
  ASSIGN_OR_RETURN(CgroupDir own_copy, own.Duplicate());
  RETURN_IF_ERROR(MoveIntoLeaf(base));
  return std::unique_ptr<SupervisorLeaf>(new SupervisorLeaf(std::move(base_copy), std::move(own_copy)));
}

SupervisorLeaf::~SupervisorLeaf() {
  if (from_.MoveSelfHere().ok()) base_.RemoveEmpty(kSupervisorCgroup).IgnoreError();
}

}  // namespace muster
