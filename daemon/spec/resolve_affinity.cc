#include "daemon/spec/resolve_affinity.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error_detail.h"
#include "base/status_macros.h"
#include "daemon/spec/splitmix.h"

namespace muster {
namespace {

ResolvedAffinity Fixed(const CpuSet& cpus) {
  ResolvedAffinity resolved;
  resolved.cpus = cpus.ToString();
  resolved.affinity.mutable_exact()->set_cpus(resolved.cpus);
  return resolved;
}

absl::Status NothingInCommon(const CpuSet& asked, const CpuSet& pool, const std::string& field) {
  return FieldError(field, absl::StrCat("none of the CPUs ", asked.ToString(),
                                        " is left to the group by its cgroup; choose among ", pool.ToString()));
}

absl::StatusOr<ResolvedAffinity> ResolveExact(const CpuSet& asked, const CpuSet& pool, const std::string& field) {
  if (asked.Intersect(pool).empty()) return NothingInCommon(asked, pool, field);
  return Fixed(asked);
}

std::string Draw(std::vector<uint32_t> from, uint32_t count, uint64_t seed) {
  SplitMix64 random(seed);
  CpuSet drawn;
  for (uint32_t i = 0; i < count; ++i) {
    std::swap(from[i], from[i + random.Below(from.size() - i)]);
    drawn.Add(from[i]);
  }
  return drawn.ToString();
}

absl::StatusOr<ResolvedAffinity> ResolveRandom(const v1::Affinity::RandomSubset& subset, const AffinityContext& context,
                                               const std::string& field) {
  ASSIGN_OR_RETURN(const CpuSet asked, CpuSet::Parse(subset.from()));
  const CpuSet from = asked.Intersect(context.pool);
  if (from.empty()) return NothingInCommon(asked, context.pool, field);
  const uint32_t count = std::min<uint32_t>(subset.count(), from.Count());
  ResolvedAffinity resolved;
  resolved.affinity.mutable_random_subset()->set_from(from.ToString());
  resolved.affinity.mutable_random_subset()->set_count(count);
  const std::vector<uint32_t> ids = from.Ids();
  SplitMix64 seeds(context.seed);
  resolved.worker_cpus.reserve(context.num_workers);
  for (uint32_t i = 0; i < context.num_workers; ++i) resolved.worker_cpus.push_back(Draw(ids, count, seeds.Next()));
  return resolved;
}

ResolvedAffinity ResolveLlc(const AffinityContext& context) {
  CpuSet best;
  for (const CpuSet& llc : context.topology->llcs) {
    CpuSet usable = llc.Intersect(context.pool);
    if (usable.Count() > best.Count()) best = std::move(usable);
  }
  return Fixed(best);
}

// The two lowest threads of each core that has two in the pool.
std::vector<CpuSet> SiblingPairs(const AffinityContext& context) {
  std::vector<CpuSet> pairs;
  for (const CpuSet& core : context.topology->cores) {
    const std::vector<uint32_t> threads = core.Intersect(context.pool).Ids();
    if (threads.size() < 2) continue;
    CpuSet pair;
    pair.Add(threads[0]);
    pair.Add(threads[1]);
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

absl::StatusOr<ResolvedAffinity> ResolveSiblings(const AffinityContext& context, const std::string& field) {
  const std::vector<CpuSet> pairs = SiblingPairs(context);
  const uint32_t needed = (context.num_workers + 1) / 2;
  if (pairs.size() < needed) {
    return PreconditionError(
        {"TOPOLOGY", "smt"},
        absl::StrCat(
            field, ": ", needed, " pairs of workers need as many cores with two hardware threads each, and among CPUs ",
            context.pool.ToString(), " there are ", pairs.size(), "; ask for fewer workers, or for another affinity"));
  }
  ResolvedAffinity resolved;
  CpuSet all;
  for (uint32_t i = 0; i < context.num_workers; ++i) {
    resolved.worker_cpus.push_back(pairs[i / 2].ToString());
    all = all.Union(pairs[i / 2]);
  }
  resolved.affinity.mutable_exact()->set_cpus(all.ToString());
  return resolved;
}

}  // namespace

absl::StatusOr<ResolvedAffinity> ResolveAffinity(const v1::Affinity& affinity, const AffinityContext& context,
                                                 const std::string& field) {
  switch (affinity.intent_case()) {
    case v1::Affinity::kExact: {
      ASSIGN_OR_RETURN(const CpuSet asked, CpuSet::Parse(affinity.exact().cpus()));
      return ResolveExact(asked, context.pool, field + ".exact.cpus");
    }
    case v1::Affinity::kRandomSubset:
      return ResolveRandom(affinity.random_subset(), context, field + ".random_subset.from");
    case v1::Affinity::kSingleCpu: {
      CpuSet lowest;
      lowest.Add(context.pool.Ids().front());
      return Fixed(lowest);
    }
    case v1::Affinity::kLlcAligned:
      return ResolveLlc(context);
    case v1::Affinity::kCrossCgroup:
      return Fixed(context.topology->online);
    case v1::Affinity::kSmtSiblingPair:
      return ResolveSiblings(context, field + ".smt_sibling_pair");
    default: {
      ResolvedAffinity inherited;
      inherited.affinity.mutable_inherit();
      return inherited;
    }
  }
}

}  // namespace muster
