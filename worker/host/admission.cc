#include "worker/host/admission.h"

#include <errno.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/errno_status.h"
#include "base/error_detail.h"
#include "base/status_macros.h"
#include "worker/control/spec.h"
#include "worker/core/work_type.h"

namespace muster::host {
namespace {

// One group under examination.
struct Candidate {
  const control::Plan& plan;
  v1::GroupSpec spec;
  std::string path;  // of the group's fields
  uint32_t num_workers;
};

// What a program needs beyond the rules of Custom.
absl::Status CheckProgram(const Candidate& group) {
  const std::string field = absl::StrCat(group.path, "work.custom.program");
  const std::string& path = group.spec.work().custom().program().path();
  if (IsOneProcess(group.plan.spec())) {
    return FieldError(
        field, "a program needs a process of its own, and the workers of this pool share one; use clone_mode FORK");
  }
  if (!group.plan.allow_exec()) {
    return PreconditionError({"PERMISSION", "custom.program"},
                             absl::StrCat(field, ": this daemon runs no programs; start musterd with --allow-exec"));
  }
  if (access(path.c_str(), X_OK) != 0) {
    return PreconditionError({"PROGRAM", path},
                             ErrnoStatus(errno, absl::StrCat(field, ".path: execute ", path)).message());
  }
  return absl::OkStatus();
}

absl::Status CheckGroupSize(const Candidate& group, uint32_t group_size) {
  if (group_size > 0 && group.num_workers > 0 && group.num_workers % group_size == 0) return absl::OkStatus();
  return FieldError(absl::StrCat(group.path, "num_workers"),
                    absl::StrCat(WorkName(group.spec.work()), " works in groups of ", group_size,
                                 ": the count must be divisible by ", group_size, ", got ", group.num_workers));
}

// Rules of a type's own: its errors begin with the field below its message.
absl::Status CheckRules(const Candidate& group, const WorkType& type) {
  const absl::Status status = type.Validate(group.spec.work());
  if (status.ok()) return status;
  const std::string arm = absl::StrCat(group.path, "work.", ArmName(group.spec.work()));
  const absl::string_view text = status.message();
  const size_t colon = text.find(": ");
  if (colon == absl::string_view::npos) return absl::Status(status.code(), absl::StrCat(arm, ": ", text));
  if (!absl::IsInvalidArgument(status)) return absl::Status(status.code(), absl::StrCat(arm, ".", text));
  return FieldError(absl::StrCat(arm, ".", text.substr(0, colon)), text.substr(colon + 2));
}

absl::Status CheckCloneMode(const Candidate& group, const WorkType& type) {
  if (!IsOneProcess(group.plan.spec())) return absl::OkStatus();
  const WorkTypeDescription description = type.Describe();
  if (description.runs_in_threads) return absl::OkStatus();
  const char* const mode = group.plan.spec().has_pcomm() ? "with pcomm" : "in clone_mode THREAD";
  return FieldError(absl::StrCat(group.path, "work.", ArmName(group.spec.work())),
                    absl::StrCat(WorkName(group.spec.work()), " does not run ", mode, " (", description.why_not_threads,
                                 "); use clone_mode FORK without pcomm"));
}

absl::Status AdmitGroup(const Candidate& group) {
  const v1::Work& work = group.spec.work();
  if (work.type_case() == v1::Work::TYPE_NOT_SET) {
    return FieldError(absl::StrCat(group.path, "work"),
                      "no work type is set, or one that this worker binary does not know");
  }
  const WorkType* const type = FindWorkType(work.type_case());
  if (type == nullptr) {
    return FieldError(absl::StrCat(group.path, "work.", ArmName(work)),
                      absl::StrCat("this worker binary does not implement ", WorkName(work)));
  }
  RETURN_IF_ERROR(CheckCloneMode(group, *type));
  RETURN_IF_ERROR(CheckRules(group, *type));
  if (IsProgram(work)) RETURN_IF_ERROR(CheckProgram(group));
  return CheckGroupSize(group, type->GroupSize(work));
}

}  // namespace

std::string ArmName(const v1::Work& work) {
  const auto* field = v1::Work::descriptor()->FindFieldByNumber(work.type_case());
  return field == nullptr ? std::string() : field->name();
}

absl::Status Admit(const control::Plan& plan) {
  if (plan.groups_size() != static_cast<int>(NumGroups(plan.spec()))) {
    return absl::InvalidArgumentError(
        absl::StrCat("the plan has ", plan.groups_size(), " groups, its spec ", NumGroups(plan.spec())));
  }
  for (int i = 0; i < plan.groups_size(); ++i) {
    RETURN_IF_ERROR(AdmitGroup({plan, GroupOf(plan.spec(), i), GroupPath(i), plan.groups(i).num_workers()}));
  }
  return absl::OkStatus();
}

}  // namespace muster::host
