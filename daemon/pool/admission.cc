#include "daemon/pool/admission.h"

#include <sys/random.h>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/error_detail.h"
#include "base/status_macros.h"
#include "daemon/spec/validate.h"
#include "worker/control/spec.h"

namespace muster {
namespace {

uint64_t RandomSeed() {
  uint64_t seed = 0;
  if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed) || seed == 0) seed = MonotonicNs() | 1;
  return seed;
}

}  // namespace

absl::Status CheckCgroups(int64_t number, const PoolEnvironment& environment) {
  if (number <= environment.max_cgroups) return absl::OkStatus();
  return LimitError("max_cgroups", environment.max_cgroups,
                    absl::StrCat("all pools together would have ", number, " cgroups from their `cgroups`"));
}

absl::StatusOr<ResolvedSpec> ValidateAndResolve(const v1::WorkloadSpec& spec, const PoolEnvironment& environment) {
  RETURN_IF_ERROR(CheckCgroups(spec.cgroups_size(), environment));
  RETURN_IF_ERROR(Validate(spec, {&environment.limits, &environment.topology, environment.allow_exec}));
  for (int i = 0; i < spec.cgroups_size(); ++i) {
    RETURN_IF_ERROR(environment.cgroups->Validate(spec.cgroups(i), absl::StrCat("cgroups[", i, "]")));
  }
  ResolveContext context;
  context.limits = &environment.limits;
  context.topology = &environment.topology;
  context.effective_cpus = [&environment](const std::string& cgroup) {
    return environment.cgroups->EffectiveCpus(cgroup);
  };
  context.seed = RandomSeed();
  return Resolve(spec, context);
}

absl::StatusOr<std::vector<arena::WorkerShape>> ShapesOf(const ResolvedSpec& resolved, const Catalogue& catalogue) {
  std::vector<arena::WorkerShape> shapes;
  shapes.reserve(resolved.num_workers);
  for (uint32_t i = 0; i < resolved.groups.size(); ++i) {
    const v1::Work work = GroupOf(resolved.spec, i).work();
    absl::StatusOr<uint32_t> streams = catalogue.StreamsOf(work);
    if (!streams.ok()) return FieldError(absl::StrCat(GroupPath(i), "work"), streams.status().message());
    const arena::WorkerShape shape = {i, *streams, *streams == 0 ? 0 : resolved.spec.max_samples(),
                                      resolved.spec.max_migrations()};
    shapes.insert(shapes.end(), resolved.groups[i].num_workers, shape);
  }
  return shapes;
}

}  // namespace muster
