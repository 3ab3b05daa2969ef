// Work of the user's own: a program that the worker becomes (the worker's start-up does that) or a linked-in function.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "worker/core/function.h"
#include "worker/core/work_type.h"

namespace muster {
namespace {

absl::Status ValidateProgram(const v1::Custom::Program& program) {
  if (program.path().empty()) return absl::InvalidArgumentError("program.path: it is empty; give an absolute path");
  if (program.path()[0] != '/') {
    return absl::InvalidArgumentError(absl::StrCat("program.path: ", program.path(), " is not absolute"));
  }
  for (int i = 0; i < program.env_size(); ++i) {
    if (program.env(i).find('=') == std::string::npos) {
      return absl::InvalidArgumentError(absl::StrCat("program.env[", i, "]: ", program.env(i), " is not NAME=value"));
    }
  }
  return absl::OkStatus();
}

absl::Status ValidateFunction(const v1::Custom::Function& function) {
  if (FindFunction(function.name()) != nullptr) return absl::OkStatus();
  const std::vector<std::string> names = FunctionNames();
  return absl::InvalidArgumentError(absl::StrCat("function.name: no function ", function.name(),
                                                 " is linked into this worker; it has ",
                                                 names.empty() ? "none" : absl::StrJoin(names, ", ")));
}

class CustomType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {
        .summary = "A program or a linked-in function of the user's own, placed, started and stopped like any work.",
        .units_per_iteration = "what the user's code counts",
        .functions = FunctionNames()};
  }
  uint32_t Streams(const v1::Work& work) const override {
    return work.custom().has_function() ? kWakeSamples | kCostSamples | kTimerSamples : kNoSamples;
  }
  uint32_t StreamsOfSomeParameters() const override { return kWakeSamples | kCostSamples | kTimerSamples; }
  absl::Status Validate(const v1::Work& work) const override {
    switch (work.custom().form_case()) {
      case v1::Custom::kProgram:
        return ValidateProgram(work.custom().program());
      case v1::Custom::kFunction:
        return ValidateFunction(work.custom().function());
      case v1::Custom::FORM_NOT_SET:
        break;
    }
    return absl::InvalidArgumentError("form: none is set; choose program or function");
  }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace& place,
                                                 Plumbing&) const override {
    const WorkFunction function = FindFunction(work.custom().function().name());
    if (function == nullptr) return absl::FailedPreconditionError("only a function runs as a step");
    return MakeFunctionStep(function, place, work.custom().function().config());
  }
};

MUSTER_WORK_TYPE(kCustom, CustomType);

}  // namespace
}  // namespace muster
