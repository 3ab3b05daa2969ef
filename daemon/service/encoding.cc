#include "daemon/service/encoding.h"

#include <grpcpp/impl/codegen/proto_utils.h>
#include <string.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/wire_format_lite.h"

namespace muster {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedOutputStream;
using google::protobuf::io::StringOutputStream;

// What precedes a field of `bytes` bytes.
std::string HeadOf(int field, size_t bytes) {
  std::string head;
  StringOutputStream to(&head);
  CodedOutputStream out(&to);
  out.WriteTag(WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED));
  out.WriteVarint64(bytes);
  out.Trim();
  return head;
}

// Of a tag and a length.
constexpr size_t kMaxHeadBytes = 15;
constexpr size_t kMaxVarint32Bytes = 5;

uint8_t* WriteHead(int field, size_t bytes, uint8_t* to) {
  to = WireFormatLite::WriteTagToArray(field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED, to);
  return CodedOutputStream::WriteVarint64ToArray(bytes, to);
}

uint8_t* WriteFixed64(int field, const std::vector<uint64_t>& column, uint8_t* to) {
  if (column.empty()) return to;
  const size_t bytes = column.size() * sizeof(uint64_t);
  to = WriteHead(field, bytes, to);
  memcpy(to, column.data(), bytes);
  return to + bytes;
}

template <class T, class Coding>
uint8_t* WriteVarints(int field, const std::vector<T>& column, const Coding& coding, uint8_t* to) {
  if (column.empty()) return to;
  size_t bytes = 0;
  for (const T value : column) bytes += CodedOutputStream::VarintSize32(coding(value));
  to = WriteHead(field, bytes, to);
  for (const T value : column) to = CodedOutputStream::WriteVarint32ToArray(coding(value), to);
  return to;
}

grpc::Slice InPlace(absl::string_view bytes, const std::shared_ptr<const void>& keeper) {
  using Keeper = std::shared_ptr<const void>;
  // gRPC only reads.
  return grpc::Slice(
      const_cast<char*>(bytes.data()), bytes.size(), [](void* held) { delete static_cast<Keeper*>(held); },
      new Keeper(keeper));
}

}  // namespace

absl::Status Decode(const grpc::ByteBuffer& bytes, google::protobuf::Message* message) {
  grpc::ByteBuffer unread = bytes;
  const grpc::Status status =
      grpc::GenericDeserialize<grpc::ProtoBufferReader, google::protobuf::Message>(&unread, message);
  if (status.ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the request is no ", message->GetDescriptor()->full_name()));
}

grpc::Slice EncodeToSlice(const google::protobuf::Message& message) {
  grpc::Slice slice(message.ByteSizeLong());
  message.SerializeWithCachedSizesToArray(const_cast<uint8_t*>(slice.begin()));
  return slice;
}

grpc::ByteBuffer Encode(const google::protobuf::Message& message) {
  const grpc::Slice slice = EncodeToSlice(message);
  return grpc::ByteBuffer(&slice, 1);
}

grpc::ByteBuffer EncodeSnapshot(const PoolSnapshot& snapshot) {
  using Response = v1::SnapshotResponse;
  const size_t workers = snapshot.iterations.size();
  grpc::Slice room(6 * kMaxHeadBytes + workers * (3 * sizeof(uint64_t) + 2 * kMaxVarint32Bytes));
  uint8_t* const begin = const_cast<uint8_t*>(room.begin());
  uint8_t* to = begin;
  if (snapshot.taken_at_ns != 0) {
    to = WireFormatLite::WriteUInt64ToArray(Response::kTakenAtNsFieldNumber, snapshot.taken_at_ns, to);
  }
  to = WriteFixed64(Response::kIterationsFieldNumber, snapshot.iterations, to);
  to = WriteFixed64(Response::kWorkUnitsFieldNumber, snapshot.work_units, to);
  to = WriteVarints(
      Response::kStatesFieldNumber, snapshot.states, [](WorkerState state) { return static_cast<uint32_t>(state); },
      to);
  to = WriteVarints(Response::kLastCpusFieldNumber, snapshot.last_cpus, WireFormatLite::ZigZagEncode32, to);
  to = WriteFixed64(Response::kAgesNsFieldNumber, snapshot.ages_ns, to);
  const grpc::Slice written = room.sub(0, to - begin);
  return grpc::ByteBuffer(&written, 1);
}

grpc::ByteBuffer EncodeReport(const v1::WorkerReport& report, const SamplesInPlace& samples) {
  const std::pair<int, absl::string_view> columns[] = {
      {v1::WorkerReport::kWakeLatenciesNsFieldNumber, samples.wake_latencies_ns},
      {v1::WorkerReport::kIterationCostsNsFieldNumber, samples.iteration_costs_ns},
      {v1::WorkerReport::kTimerLatenciesNsFieldNumber, samples.timer_latencies_ns}};
  // The fields of a message may come in any order (protobuf's encoding), so all that is small comes first.
  const std::string small = report.SerializeAsString();
  std::vector<grpc::Slice> rest;
  size_t bytes = small.size();
  for (const auto& [field, column] : columns) {
    if (column.empty()) continue;
    rest.emplace_back(HeadOf(field, column.size()));
    bytes += rest.back().size() + column.size();
    rest.push_back(InPlace(column, samples.keeper));
  }
  rest.insert(rest.begin(), grpc::Slice(HeadOf(v1::StopAndCollectResponse::kReportFieldNumber, bytes) + small));
  return grpc::ByteBuffer(rest.data(), rest.size());
}

}  // namespace muster
