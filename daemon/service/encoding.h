// Messages as the bytes that go over the wire, for what is too large or too frequent to be built and encoded each time.
#ifndef MUSTER_DAEMON_SERVICE_ENCODING_H_
#define MUSTER_DAEMON_SERVICE_ENCODING_H_

#include <grpcpp/support/byte_buffer.h>

#include "absl/status/status.h"
#include "daemon/pool/pool_types.h"
#include "google/protobuf/message.h"
#include "muster/v1/muster.pb.h"

namespace muster {

// INVALID_ARGUMENT: the bytes are no such message.
absl::Status Decode(const grpc::ByteBuffer& bytes, google::protobuf::Message* message);

grpc::Slice EncodeToSlice(const google::protobuf::Message& message);
grpc::ByteBuffer Encode(const google::protobuf::Message& message);

// The SnapshotResponse of `snapshot`, without making one.
grpc::ByteBuffer EncodeSnapshot(const PoolSnapshot& snapshot);

// The StopAndCollectResponse with `report` and `samples`, of which no byte is copied: the result holds their keeper.
// Fields of `report` that have samples of their own here must be empty.
grpc::ByteBuffer EncodeReport(const v1::WorkerReport& report, const SamplesInPlace& samples);

}  // namespace muster

#endif  // MUSTER_DAEMON_SERVICE_ENCODING_H_
