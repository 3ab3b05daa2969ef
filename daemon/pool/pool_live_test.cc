// The pool layer with the real worker binary and real cgroups, without gRPC.
#include <gtest/gtest.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "base/file_io.h"
#include "daemon/cgroup/instance.h"
#include "daemon/pool/instance_cgroups.h"
#include "daemon/pool/pool_table.h"
#include "daemon/poolhost/stray_reaper.h"
#include "daemon/poolhost/worker_binary_launcher.h"
#include "google/protobuf/text_format.h"

namespace muster {
namespace {

constexpr char kWorker[] = "worker/muster-worker";

// Keeps what a collection delivers.
class Kept final : public ReportSink {
 public:
  bool OnReport(v1::WorkerReport& report) override {
    reports.push_back(report);
    return true;
  }
  void OnSummary(const v1::PoolSummary& of_pool) override { summary = of_pool; }

  std::vector<v1::WorkerReport> reports;
  v1::PoolSummary summary;
};

const Catalogue& WorkerCatalogue() {
  static const Catalogue* const catalogue = [] {
    absl::StatusOr<Catalogue> read = Catalogue::Read(kWorker, Deadline::After(absl::Seconds(30)));
    if (!read.ok()) {
      fprintf(stderr, "%s\n", read.status().ToString().c_str());
      abort();
    }
    return new Catalogue(*std::move(read));
  }();
  return *catalogue;
}

// One reaper for the whole program: it must be made while there is one thread.
StrayReaper& Reaper() {
  static StrayReaper* const reaper = [] {
    absl::StatusOr<std::unique_ptr<StrayReaper>> started = StrayReaper::Start();
    if (!started.ok()) abort();
    return started->release();
  }();
  return *reaper;
}

class PoolLiveTest : public testing::Test {
 protected:
  void SetUp() override {
    // Read before there is a reaper, which takes children that nobody told it of for strays.
    const Catalogue& catalogue = WorkerCatalogue();
    Reaper();
    const absl::StatusOr<CgroupView> view = CgroupView::OfThisProcess();
    ASSERT_TRUE(view.ok()) << view.status();
    auto instance =
        Instance::Create({.name = absl::StrCat("pool-test-", getpid())}, *view, Deadline::After(absl::Seconds(10)));
    ASSERT_TRUE(instance.ok()) << instance.status();
    instance_ = *std::move(instance);
    const absl::StatusOr<Topology> topology = ReadTopology("/sys");
    ASSERT_TRUE(topology.ok()) << topology.status();
    manager_.emplace(*instance_->ManagerOptions({.online_cpus = topology->online, .memory_nodes = {}}));
    workload_.emplace(*CgroupDir::OpenPath(instance_->workload_path()));
    cgroups_.emplace(&*manager_, &*workload_);
    launcher_.emplace(kWorker, &Reaper());
    PoolEnvironment environment;
    environment.topology = *topology;
    environment.catalogue = &catalogue;
    environment.cgroups = &*cgroups_;
    environment.launcher = &*launcher_;
    absl::StatusOr<std::unique_ptr<PoolTable>> table = PoolTable::Start(std::move(environment));
    ASSERT_TRUE(table.ok()) << table.status();
    table_ = *std::move(table);
  }

  static Deadline Soon() { return Deadline::After(absl::Seconds(60)); }

  absl::StatusOr<Pool> Spawn(const std::string& text) {
    v1::WorkloadSpec spec;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &spec));
    return table_->Spawn(spec, {}, Soon());
  }

  std::unique_ptr<Instance> instance_;
  std::optional<CgroupManager> manager_;
  std::optional<CgroupDir> workload_;
  std::optional<InstanceCgroups> cgroups_;
  std::optional<WorkerBinaryLauncher> launcher_;
  std::unique_ptr<PoolTable> table_;
};

TEST_F(PoolLiveTest, AWholeLifeGivesOneReportPerWorker) {
  absl::StatusOr<Pool> pool = Spawn("num_workers: 2 work { pipe_io {} } max_samples: 10");
  ASSERT_TRUE(pool.ok()) << pool.status();
  EXPECT_EQ(pool->state(), PoolState::kReady);
  const absl::StatusOr<StartResult> started = Pool::StartAll({*pool}, Soon());
  ASSERT_TRUE(started.ok()) << started.status();
  Kept kept;
  const absl::Status collected = pool->Collect({}, &kept, Soon());
  ASSERT_TRUE(collected.ok()) << collected;
  ASSERT_EQ(kept.reports.size(), 2u);
  for (const v1::WorkerReport& report : kept.reports) EXPECT_FALSE(report.has_exit_info()) << report.ShortDebugString();
  EXPECT_EQ(kept.summary.sentinels(), 0u);
  EXPECT_TRUE(table_->Confirm(pool->id(), Soon()).ok());
  EXPECT_TRUE(table_->List().empty());
}

TEST_F(PoolLiveTest, DropFromReadyLeavesNothing) {
  absl::StatusOr<Pool> pool = Spawn("num_workers: 3");
  ASSERT_TRUE(pool.ok()) << pool.status();
  EXPECT_TRUE(table_->Drop(pool->id(), Soon()));
  EXPECT_FALSE(table_->Drop(pool->id(), Soon()));
  EXPECT_TRUE(workload_->Children()->empty());
  EXPECT_TRUE(absl::IsNotFound(pool->Snapshot().status()));
}

TEST_F(PoolLiveTest, AFailedSpawnLeavesNothing) {
  EXPECT_TRUE(absl::IsInvalidArgument(Spawn("num_workers: 3 work { pipe_io {} }").status()));
  EXPECT_TRUE(absl::IsNotFound(Spawn("cgroup: 'nonesuch'").status()));
  EXPECT_TRUE(table_->List().empty());
  EXPECT_TRUE(workload_->Children()->empty());
}

}  // namespace
}  // namespace muster
