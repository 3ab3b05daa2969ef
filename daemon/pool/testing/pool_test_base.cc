#include "daemon/pool/testing/pool_test_base.h"

#include <stdlib.h>

#include "google/protobuf/text_format.h"

namespace muster {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(30);

v1::Catalogue FakeCatalogue() {
  v1::Catalogue catalogue;
  catalogue.add_work_types()->set_field("spin_wait");
  v1::WorkTypeInfo* pipe_io = catalogue.add_work_types();
  pipe_io->set_field("pipe_io");
  pipe_io->add_streams(v1::WAKE);
  return catalogue;
}

}  // namespace

void HeardEvents::OnWorkerDied(const Pool&, uint32_t worker, const v1::ExitInfo& exit_info) {
  MutexLock lock(&mutex_);
  deaths_.emplace_back(worker, exit_info);
  changed_.NotifyAll();
}

void HeardEvents::OnPoolEnded(const Pool&, absl::string_view error) {
  MutexLock lock(&mutex_);
  ends_.emplace_back(error);
  changed_.NotifyAll();
}

std::pair<uint32_t, v1::ExitInfo> HeardEvents::AwaitDeath() {
  MutexLock lock(&mutex_);
  while (deaths_.empty() && changed_.WaitUntil(&mutex_, SteadyDeadline(kPatience))) {
  }
  return deaths_.empty() ? std::pair<uint32_t, v1::ExitInfo>() : deaths_.front();
}

std::string HeardEvents::AwaitEnd() {
  MutexLock lock(&mutex_);
  while (ends_.empty() && changed_.WaitUntil(&mutex_, SteadyDeadline(kPatience))) {
  }
  return ends_.empty() ? "nobody told of an end" : ends_.front();
}

PoolTestBase::PoolTestBase() : catalogue_(std::make_unique<Catalogue>(FakeCatalogue())) {
  environment_.limits.reap_budget = absl::Seconds(1);
  environment_.topology.online = CpuSet::Parse("0-3").value();
  environment_.catalogue = catalogue_.get();
  environment_.cgroups = &cgroups_;
  environment_.launcher = &launcher_;
  environment_.listener = &events_;
}

PoolTable& PoolTestBase::table() {
  MutexLock lock(&table_mutex_);
  if (table_ == nullptr) table_ = *PoolTable::Start(environment_);
  return *table_;
}

void PoolTestBase::TearDown() {
  {
    MutexLock lock(&table_mutex_);
    table_.reset();
  }
  EXPECT_EQ(cgroups_.Left(), std::vector<std::string>()) << "cgroups are left behind";
  for (size_t i = 0; i < launcher_.launched(); ++i) {
    EXPECT_TRUE(launcher_.host(i).process().reaped()) << "pool host " << i << " is left behind";
  }
}

absl::StatusOr<Pool> PoolTestBase::TrySpawn(const std::string& text, const PoolLabels& labels) {
  v1::WorkloadSpec spec;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &spec)) << text;
  return table().Spawn(spec, labels, Soon());
}

Pool PoolTestBase::Spawn(const std::string& text, const PoolLabels& labels) {
  absl::StatusOr<Pool> pool = TrySpawn(text, labels);
  if (!pool.ok()) {
    ADD_FAILURE() << text << ": " << pool.status();
    abort();
  }
  return *pool;
}

absl::Status PoolTestBase::Start(const Pool& pool) { return Pool::StartAll({pool}, Soon()).status(); }

KeptReports PoolTestBase::Collect(Pool pool) {
  KeptReports kept;
  EXPECT_EQ(pool.Collect({}, &kept, Soon()), absl::OkStatus());
  return kept;
}

PoolSnapshot PoolTestBase::Snapshot(const Pool& pool) {
  absl::StatusOr<PoolSnapshot> snapshot = pool.Snapshot();
  EXPECT_TRUE(snapshot.ok()) << snapshot.status();
  return snapshot.ok() ? *std::move(snapshot) : PoolSnapshot();
}

}  // namespace muster
