#include "worker/core/function.h"

#include <cstdlib>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"

namespace muster {
namespace {

using Table = std::map<std::string, WorkFunction, std::less<>>;

// Filled during static initialisation, which is single-threaded, and constant afterwards.
Table& Functions() {
  static Table table;
  return table;
}

class FunctionStep : public Step {
 public:
  FunctionStep(WorkFunction function, const WorkerPlace& place, absl::string_view config)
      : function_(function), place_(place), config_(config) {}

  StepResult Run(Meter& meter) override {
    absl::StatusOr<CpuSet> cpus = GetAffinity(0);
    FunctionContext context(&meter, place_, config_, cpus.ok() ? *std::move(cpus) : CpuSet());
    function_(context);
    return StepResult::kAbandon;
  }

 private:
  const WorkFunction function_;
  const WorkerPlace place_;
  const std::string config_;
};

}  // namespace

FunctionRegistration::FunctionRegistration(const char* name, WorkFunction function) {
  if (Functions().emplace(name, function).second) return;
  LogWarning(absl::StrCat("two functions are registered as \"", name, "\""));
  abort();
}

WorkFunction FindFunction(absl::string_view name) {
  const auto found = Functions().find(std::string(name));
  return found == Functions().end() ? nullptr : found->second;
}

std::vector<std::string> FunctionNames() {
  std::vector<std::string> names;
  for (const auto& [name, function] : Functions()) names.push_back(name);
  return names;
}

std::unique_ptr<Step> MakeFunctionStep(WorkFunction function, const WorkerPlace& place, absl::string_view config) {
  return std::make_unique<FunctionStep>(function, place, config);
}

}  // namespace muster
