#include "daemon/service/encoding.h"

#include <grpcpp/impl/codegen/proto_utils.h>

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
  const grpc::Status status = grpc::GenericDeserialize<grpc::ProtoBufferReader, google::protobuf::Message>(&unread, message);
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
