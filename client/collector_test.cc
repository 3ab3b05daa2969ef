#include "client/collector.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "tests/support/fake_muster.h"
#include "tests/support/hybrid_device.h"

namespace muster {
namespace {

Deadline Soon() { return Deadline::After(absl::Seconds(10)); }

v1::WorkerReport Report(uint32_t index) {
  v1::WorkerReport report;
  report.set_worker_index(index);
  return report;
}

class CollectorTest : public testing::Test {
 protected:
  CollectorTest() : connection_(*Connection::Open(*ParseAddress(fake_.address()), ConnectionOptions(), Soon())) {
    v1::SpawnRequest request;
    request.mutable_spec()->set_num_workers(5);
    EXPECT_TRUE(connection_->Call(&Connection::Stub::Spawn, request, Soon(), "spawn").ok());
  }

  absl::StatusOr<v1::PoolSummary> Collect() {
    v1::StopAndCollectRequest request;
    request.set_pool_id("p1");
    return CollectReports(*connection_, request, Soon(),
                          [this](v1::WorkerReport&& report) { indexes_.push_back(report.worker_index()); });
  }

  FakeMuster fake_;
  std::shared_ptr<Connection> connection_;
  std::vector<uint32_t> indexes_;
};

TEST_F(CollectorTest, EveryReportComesOnceInOrder) {
  const absl::StatusOr<v1::PoolSummary> summary = Collect();
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->workers(), 5u);
  EXPECT_EQ(indexes_, (std::vector<uint32_t>{0, 1, 2, 3, 4}));
}

TEST_F(CollectorTest, AfterABreakItGoesOnAtTheNextWorker) {
  fake_.BreakAfterReports(3);
  const absl::StatusOr<v1::PoolSummary> summary = Collect();
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(indexes_, (std::vector<uint32_t>{0, 1, 2, 3, 4}));
  // Reports in flight may be lost with the connection, and are then asked for again.
  const std::vector<std::string> calls = fake_.Calls();
  EXPECT_EQ(std::count_if(calls.begin(), calls.end(),
                          [](const std::string& call) { return absl::StartsWith(call, "StopAndCollect"); }),
            2);
}

TEST_F(CollectorTest, CallThatTheDaemonCutsShortIsMadeAgain) {
  fake_.FailNext("StopAndCollect", grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "longer than max_call_time"));
  EXPECT_TRUE(Collect().ok());
}

TEST_F(CollectorTest, ReportOutOfOrderIsRefused) {
  fake_.SetReports({Report(0), Report(2), Report(1), Report(3), Report(4)});
  const absl::Status status = Collect().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_TRUE(absl::StrContains(status.message(), "report of worker 2 where that of 1 is due")) << status;
}

TEST_F(CollectorTest, TooFewReportsAreAnErrorNotASmallerAnswer) {
  fake_.SetReports({Report(0), Report(1)});
  const absl::Status status = Collect().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_TRUE(absl::StrContains(status.message(), "speaks of 5 workers and sent 2 reports")) << status;
}

TEST_F(CollectorTest, RefusalIsTheError) {
  fake_.FailNext("StopAndCollect", grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "wrong secret"));
  EXPECT_EQ(Collect().status(), absl::PermissionDeniedError("collection of pool p1: wrong secret"));
}

TEST(SilentGuestTest, CollectionIsGivenUpBeforeItsDeadline) {
  HybridDevice device;
  ConnectionOptions options;
  options.redial_for = absl::Milliseconds(100);
  const auto connection = device.OpenAndBreak(options);
  v1::StopAndCollectRequest request;
  request.set_pool_id("p1");
  const absl::Status status =
      CollectReports(*connection, request, Deadline::After(absl::Hours(1)), [](v1::WorkerReport&&) {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
}

}  // namespace
}  // namespace muster
