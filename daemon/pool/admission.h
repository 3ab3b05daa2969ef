// What a specification must meet before there is a pool of it.
#ifndef MUSTER_DAEMON_POOL_ADMISSION_H_
#define MUSTER_DAEMON_POOL_ADMISSION_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/pool/pool_table.h"
#include "daemon/spec/resolve.h"
#include "worker/arena/arena.h"

namespace muster {

// Errors as of PoolTable::Spawn.
absl::StatusOr<ResolvedSpec> ValidateAndResolve(const v1::WorkloadSpec& spec, const PoolEnvironment& environment);

// One per worker. INVALID_ARGUMENT: the catalogue lacks a work type.
absl::StatusOr<std::vector<arena::WorkerShape>> ShapesOf(const ResolvedSpec& resolved, const Catalogue& catalogue);

// RESOURCE_EXHAUSTED: so many in the `cgroups` of all pools together are above the limit.
absl::Status CheckCgroups(int64_t number, const PoolEnvironment& environment);

}  // namespace muster

#endif  // MUSTER_DAEMON_POOL_ADMISSION_H_
