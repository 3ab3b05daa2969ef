// Values of the pool layer as messages of muster.v1, and back.
#ifndef MUSTER_DAEMON_SERVICE_CONVERT_H_
#define MUSTER_DAEMON_SERVICE_CONVERT_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/pool/pool.h"
#include "daemon/pool/pool_types.h"
#include "muster/v1/muster.pb.h"

namespace muster {

v1::PoolState ToProto(PoolState state);
v1::PoolInfo ToProto(const PoolInfo& info);
void ToProto(const Pool& pool, v1::SpawnResponse* response);
void ToProto(const PoolSnapshot& snapshot, v1::SnapshotResponse* response);
void ToProto(const std::vector<PlaceOutcome>& outcomes, v1::PlaceResponse* response);
void ToProto(const StartResult& result, v1::StartResponse* response);

// INVALID_ARGUMENT names the field: no target, an empty one, an unknown unit.
absl::StatusOr<PlaceTarget> FromProto(const v1::PlaceRequest& request);

// A column of a message, of the same type.
template <class T>
void FillColumn(const std::vector<T>& from, google::protobuf::RepeatedField<T>* to) {
  to->Resize(static_cast<int>(from.size()), T{});
  std::copy(from.begin(), from.end(), to->begin());
}

// The columns that a snapshot and an update of a watch have in common.
template <class Message>
void FillStates(const PoolSnapshot& snapshot, Message* message) {
  auto* states = message->mutable_states();
  states->Resize(static_cast<int>(snapshot.states.size()), 0);
  std::transform(snapshot.states.begin(), snapshot.states.end(), states->begin(),
                 [](WorkerState state) { return static_cast<int>(state); });
  FillColumn(snapshot.last_cpus, message->mutable_last_cpus());
  FillColumn(snapshot.ages_ns, message->mutable_ages_ns());
}

}  // namespace muster

#endif  // MUSTER_DAEMON_SERVICE_CONVERT_H_
