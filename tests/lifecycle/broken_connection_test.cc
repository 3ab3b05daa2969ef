// A connection that breaks in the middle: nothing is lost, nothing comes twice.
#include <thread>

#include "tests/support/cutting_proxy.h"
#include "tests/support/live_test.h"

namespace muster {
namespace {

// What the updates of a watch add up to, per worker.
struct Totals {
  std::vector<uint64_t> iterations;
  std::vector<uint64_t> work_units;

  void Add(const v1::WatchUpdate& update) {
    iterations.resize(update.iterations_delta_size());
    work_units.resize(update.work_units_delta_size());
    for (int i = 0; i < update.iterations_delta_size(); ++i) iterations[i] += update.iterations_delta(i);
    for (int i = 0; i < update.work_units_delta_size(); ++i) work_units[i] += update.work_units_delta(i);
  }
};

class BrokenConnectionTest : public LiveTest {
 protected:
  void SetUp() override {
    LiveTest::SetUp();
    proxy_ = std::make_unique<CuttingProxy>(daemon_->address());
    absl::StatusOr<Client> client = Client::Connect(proxy_->address());
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
  }

  std::unique_ptr<CuttingProxy> proxy_;
};

TEST_F(BrokenConnectionTest, UpdatesOfAWatchAddUpToTheReportsHoweverOftenItBreaks) {
  WorkloadHandle handle = MustSpawn(Spec("num_workers: 3"));
  ASSERT_TRUE(handle.Start().ok());
  const std::unique_ptr<Watcher> watcher = handle.OpenWatch(absl::Milliseconds(10), {.timeout = kPatience});
  Totals totals;
  // Cuts between updates, and, as each update has dozens of bytes, in the middle of some.
  for (int i = 0; i < 12; ++i) {
    if (i % 3 == 0) proxy_->Cut();
    if (i % 3 == 1) proxy_->CutAfter(100 + 7 * i, 1);
    const absl::StatusOr<std::optional<v1::WatchUpdate>> update = watcher->Next();
    ASSERT_TRUE(update.ok() && update->has_value()) << update.status();
    totals.Add(**update);
  }
  std::thread rest([&] {
    while (true) {
      const absl::StatusOr<std::optional<v1::WatchUpdate>> update = watcher->Next();
      ASSERT_TRUE(update.ok()) << update.status();
      if (!update->has_value()) return;
      totals.Add(**update);
    }
  });
  // Not confirmed: a watch that breaks once more finds the pool all the same.
  std::vector<v1::WorkerReport> reports;
  const auto summary =
      handle.remote().Collect({}, [&](v1::WorkerReport&& report) { reports.push_back(std::move(report)); });
  rest.join();
  ASSERT_TRUE(summary.ok()) << summary.status();
  ASSERT_EQ(reports.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(totals.iterations[i], reports[i].iterations()) << "worker " << i;
    EXPECT_EQ(totals.work_units[i], reports[i].work_units()) << "worker " << i;
  }
  EXPECT_TRUE(client_->lease_status().ok()) << client_->lease_status();
}

TEST_F(BrokenConnectionTest, EachReportComesOnceHoweverOftenTheCollectionBreaks) {
  constexpr uint32_t kWorkers = 40;
  WorkloadHandle handle = MustSpawn(Spec("num_workers: 40"));
  ASSERT_TRUE(handle.Start().ok());
  WaitForProgress(handle, 1);
  constexpr int kCuts = 5;
  proxy_->CutAfter(2000, kCuts);
  std::vector<uint32_t> order;
  const auto summary =
      std::move(handle).StopAndCollect([&](v1::WorkerReport&& report) { order.push_back(report.worker_index()); }, {});
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(proxy_->cuts(), kCuts);
  ASSERT_EQ(order.size(), kWorkers);
  for (uint32_t i = 0; i < kWorkers; ++i) EXPECT_EQ(order[i], i);
  EXPECT_EQ(summary->workers(), kWorkers);
  EXPECT_TRUE(client_->lease_status().ok()) << client_->lease_status();
}

}  // namespace
}  // namespace muster
