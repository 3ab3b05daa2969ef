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

PoolSnapshot RandomSnapshot(std::mt19937_64* random, size_t workers) {
  PoolSnapshot snapshot;
  const auto any = [random] { return (*random)() >> (*random)() % 64; };
  snapshot.taken_at_ns = any();
  for (size_t worker = 0; worker < workers; ++worker) {
    snapshot.iterations.push_back(any());
    snapshot.work_units.push_back(any());
    snapshot.states.push_back(static_cast<WorkerState>(any() % 300));
    snapshot.last_cpus.push_back(static_cast<int32_t>(any()));
    snapshot.ages_ns.push_back(any());
  }
  return snapshot;
}

v1::SnapshotResponse MessageOf(const PoolSnapshot& snapshot) {
  v1::SnapshotResponse message;
  message.set_taken_at_ns(snapshot.taken_at_ns);
  message.mutable_iterations()->Add(snapshot.iterations.begin(), snapshot.iterations.end());
  message.mutable_work_units()->Add(snapshot.work_units.begin(), snapshot.work_units.end());
  for (const WorkerState state : snapshot.states) message.add_states(static_cast<v1::WorkerState>(state));
  message.mutable_last_cpus()->Add(snapshot.last_cpus.begin(), snapshot.last_cpus.end());
  message.mutable_ages_ns()->Add(snapshot.ages_ns.begin(), snapshot.ages_ns.end());
  return message;
}

TEST(EncodeSnapshotTest, TheBytesAreThoseOfTheMessage) {
  std::mt19937_64 random(1);
  for (int round = 0; round < kRounds; ++round) {
    const PoolSnapshot snapshot = RandomSnapshot(&random, random() % 300);
    ASSERT_EQ(Text(EncodeSnapshot(snapshot)), MessageOf(snapshot).SerializeAsString());
  }
  EXPECT_EQ(Text(EncodeSnapshot({})), "");
}

// A field that somebody adds to the contract and nobody encodes would be the one that is missing here.
TEST(EncodeSnapshotTest, EveryFieldIsEncoded) {
  std::mt19937_64 random(1);
  v1::SnapshotResponse decoded;
  ASSERT_EQ(Decode(EncodeSnapshot(RandomSnapshot(&random, 100)), &decoded), absl::OkStatus());
  std::vector<const google::protobuf::FieldDescriptor*> filled;
  decoded.GetReflection()->ListFields(decoded, &filled);
  EXPECT_EQ(static_cast<int>(filled.size()), decoded.GetDescriptor()->field_count()) << decoded.DebugString();
}

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
