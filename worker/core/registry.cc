#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "worker/core/work_type.h"

namespace muster {
namespace {

// Above every field number of muster.v1.Work.
constexpr int kMaxArm = 1'000;

// Filled in during static initialisation, before there is a second thread, and only read afterwards.
const WorkType** Table() {
  static const WorkType* table[kMaxArm + 1] = {};
  return table;
}

}  // namespace

WorkTypeRegistration::WorkTypeRegistration(v1::Work::TypeCase arm, const WorkType* type) {
  if (arm <= 0 || arm > kMaxArm || Table()[arm] != nullptr) {
    LogWarning(absl::StrCat("arm ", arm, " of muster.v1.Work cannot be registered, or was registered twice"));
    abort();
  }
  Table()[arm] = type;
}

const WorkType* FindWorkType(v1::Work::TypeCase arm) { return arm <= 0 || arm > kMaxArm ? nullptr : Table()[arm]; }

}  // namespace muster
