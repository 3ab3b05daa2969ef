// Values of the pool layer as messages of muster.v1, and back.
#ifndef MUSTER_DAEMON_SERVICE_CONVERT_H_
#define MUSTER_DAEMON_SERVICE_CONVERT_H_

#include <vector>

#include "absl/status/statusor.h"
#include "daemon/pool/pool.h"
#include "daemon/pool/pool_types.h"
#include "muster/v1/muster.pb.h"

namespace muster {

v1::PoolState ToProto(PoolState state);
v1::PoolInfo ToProto(const PoolInfo& info);
void ToProto(const Pool& pool, v1::SpawnResponse* response);
void ToProto(const std::vector<PlaceOutcome>& outcomes, v1::PlaceResponse* response);
void ToProto(const StartResult& result, v1::StartResponse* response);

// INVALID_ARGUMENT names the field: no target, an empty one, an unknown unit.
absl::StatusOr<PlaceTarget> FromProto(const v1::PlaceRequest& request);

}  // namespace muster

#endif  // MUSTER_DAEMON_SERVICE_CONVERT_H_
