#include "daemon/service/encoding.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "daemon/service/random_message.h"
#include "google/protobuf/util/message_differencer.h"

namespace muster {
namespace {

using google::protobuf::util::MessageDifferencer;
using Samples = google::protobuf::RepeatedField<uint64_t>;

constexpr int kRounds = 300;

std::string Text(const grpc::ByteBuffer& bytes) {
  grpc::Slice slice;
  EXPECT_TRUE(bytes.DumpToSingleSlice(&slice).ok());
  return std::string(slice.begin(), slice.end());
}

// A report whose samples have been taken out of it.
struct Apart {
  explicit Apart(const v1::WorkerReport& whole) : report(whole) {
    const auto take = [this](Samples* column) {
      memory->emplace_back(reinterpret_cast<const char*>(column->data()), column->size() * sizeof(uint64_t));
      column->Clear();
      return absl::string_view(memory->back());
    };
    memory->reserve(3);
    samples = {take(report.mutable_wake_latencies_ns()), take(report.mutable_iteration_costs_ns()),
               take(report.mutable_timer_latencies_ns()), memory};
  }

  v1::WorkerReport report;
  std::shared_ptr<std::vector<std::string>> memory = std::make_shared<std::vector<std::string>>();
  SamplesInPlace samples;
};

TEST(EncodeReportTest, TheBytesAreTheReportWithItsSamples) {
  std::mt19937_64 random(1);
  for (int round = 0; round < kRounds; ++round) {
    v1::StopAndCollectResponse whole;
    FillRandomly(&random, 3, whole.mutable_report());
    const Apart apart(whole.report());
    const grpc::ByteBuffer bytes = EncodeReport(apart.report, apart.samples);
    EXPECT_EQ(bytes.Length(), whole.ByteSizeLong());
    v1::StopAndCollectResponse decoded;
    ASSERT_TRUE(decoded.ParseFromString(Text(bytes))) << whole.DebugString();
    ASSERT_TRUE(MessageDifferencer::Equals(decoded, whole)) << decoded.DebugString() << whole.DebugString();
  }
}

TEST(EncodeReportTest, SamplesAreNotCopiedAndKeptAsLongAsTheBytes) {
  v1::WorkerReport report;
  report.mutable_timer_latencies_ns()->Resize(100'000, 7);
  auto apart = std::make_unique<Apart>(report);
  const char* const samples = apart->samples.timer_latencies_ns.data();
  const std::weak_ptr<const void> keeper = apart->memory;
  grpc::ByteBuffer bytes = EncodeReport(apart->report, apart->samples);
  apart.reset();
  EXPECT_FALSE(keeper.expired());
  std::vector<grpc::Slice> slices;
  ASSERT_TRUE(bytes.Dump(&slices).ok());
  EXPECT_TRUE(std::any_of(slices.begin(), slices.end(), [samples](const grpc::Slice& slice) {
    return reinterpret_cast<const char*>(slice.begin()) == samples;
  }));
  slices.clear();
  bytes.Clear();
  EXPECT_TRUE(keeper.expired());
}

TEST(EncodeTest, DecodeReadsWhatEncodeWrites) {
  std::mt19937_64 random(1);
  for (int round = 0; round < kRounds; ++round) {
    v1::StopAndCollectResponse message, decoded;
    FillRandomly(&random, 4, &message);
    ASSERT_EQ(Decode(Encode(message), &decoded), absl::OkStatus());
    ASSERT_TRUE(MessageDifferencer::Equals(decoded, message));
  }
}

TEST(EncodeTest, AnEmptyMessageHasNoBytes) {
  v1::StopAndCollectRequest request;
  EXPECT_EQ(Encode(request).Length(), 0u);
  EXPECT_EQ(Decode(Encode(request), &request), absl::OkStatus());
}

TEST(DecodeTest, OtherBytesAreAnInvalidArgument) {
  const grpc::Slice slice(std::string("\x0a\x7f", 2));
  v1::StopAndCollectRequest request;
  const absl::Status status = Decode(grpc::ByteBuffer(&slice, 1), &request);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "the request is no muster.v1.StopAndCollectRequest");
}

}  // namespace
}  // namespace muster
