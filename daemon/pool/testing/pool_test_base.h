// A pool table whose pool hosts and cgroups are fakes.
#ifndef MUSTER_DAEMON_POOL_TESTING_POOL_TEST_BASE_H_
#define MUSTER_DAEMON_POOL_TESTING_POOL_TEST_BASE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "daemon/pool/pool_table.h"
#include "daemon/pool/testing/fake_cgroups.h"
#include "daemon/pool/testing/fake_pool_host.h"

namespace muster {

// Remembers what pools told.
class HeardEvents : public PoolListener {
 public:
  void OnWorkerDied(const Pool& pool, uint32_t worker, const v1::ExitInfo& exit_info) override;
  void OnPoolEnded(const Pool& pool, absl::string_view error) override;

  // Waits until there is one.
  std::pair<uint32_t, v1::ExitInfo> AwaitDeath();
  std::string AwaitEnd();

 private:
  Mutex mutex_;
  CondVar changed_;
  std::vector<std::pair<uint32_t, v1::ExitInfo>> deaths_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> ends_ ABSL_GUARDED_BY(mutex_);
};

// Keeps a collection.
class KeptReports : public ReportSink {
 public:
  bool OnReport(v1::WorkerReport& report) override {
    reports.push_back(report);
    return reports.size() < most;
  }
  void OnSummary(const v1::PoolSummary& collected) override { summary = collected; }

  size_t most = SIZE_MAX;
  std::vector<v1::WorkerReport> reports;
  v1::PoolSummary summary;
};

class PoolTestBase : public testing::Test {
 protected:
  PoolTestBase();

  // Made on the first use, after which the environment no longer counts. Any thread.
  PoolTable& table();
  void TearDown() override;

  static Deadline Soon() { return Deadline::After(absl::Seconds(30)); }
  static Deadline Now() { return Deadline::After(absl::ZeroDuration()); }
  static Deadline Shortly() { return Deadline::After(absl::Milliseconds(30)); }

  absl::StatusOr<Pool> TrySpawn(const std::string& spec, const PoolLabels& labels = {});
  // Fails the test, and ends it, when it cannot.
  Pool Spawn(const std::string& spec = "num_workers: 3", const PoolLabels& labels = {});
  static absl::Status Start(const Pool& pool);
  // All reports, from worker 0 on.
  KeptReports Collect(Pool pool);
  PoolSnapshot Snapshot(const Pool& pool);
  FakePoolHost& host(size_t n = 0) { return launcher_.host(n); }

  PoolEnvironment environment_;
  FakeCgroups cgroups_;
  FakeLauncher launcher_;
  HeardEvents events_;
  std::unique_ptr<Catalogue> catalogue_;

 private:
  Mutex table_mutex_;
  std::unique_ptr<PoolTable> table_ ABSL_GUARDED_BY(table_mutex_);
};

}  // namespace muster

#endif  // MUSTER_DAEMON_POOL_TESTING_POOL_TEST_BASE_H_
