#include "tests/guest/work_types.h"

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "base/cpu_set.h"
#include "muster/v1/work.pb.h"
#include "tests/guest/sound_report.h"

namespace muster {
namespace {

// What the type needs in a spec so that it shows what it does within a second.
std::string SpecFor(const v1::WorkTypeInfo& type) {
  const std::string workers = absl::StrCat("num_workers: ", type.group_size(), " ");
  const std::string& field = type.field();
  if (field == "sequence") {
    return workers + R"(work { sequence { phases { spin { duration { nanos: 5000000 } } }
        phases { sleep { duration { nanos: 5000000 } } } phases { io { duration { nanos: 5000000 } } } } })";
  }
  // It works on others of its pool.
  if (field == "cross_affinity_churn") return "num_workers: 2 work { cross_affinity_churn {} }";
  if (field == "cgroup_attach_storm") {
    return R"(cgroups { name: "own" } cgroups { name: "dest" } cgroup: "own" work { cgroup_attach_storm { dest: "dest" } })";
  }
  if (field == "ipc_variance") return "work { ipc_variance { hot_iters: 1000 } }";
  if (field == "numa_migration_churn") return "work { numa_migration_churn { period_ms: 10 } }";
  if (field == "numa_working_set_sweep") {
    return "work { numa_working_set_sweep { sweep_period_ms: 10 target_nodes: 0 target_nodes: 1 } }";
  }
  return absl::StrCat(workers, "work { ", field, " {} }");
}

// Members whose neighbours keep them from running, on purpose.
bool MayStarve(const std::string& field) { return field == "rt_starvation" || field == "priority_inversion"; }

// tmpfs, which is all that the guest has, takes direct I/O since Linux 6.6.
bool HasDirectIo(const std::string& release) {
  unsigned major = 0, minor = 0;
  return sscanf(release.c_str(), "%u.%u", &major, &minor) == 2 && (major > 6 || (major == 6 && minor >= 6));
}

uint64_t Samples(const v1::WorkerReport& report, v1::SampleStream stream) {
  if (stream == v1::WAKE) return report.wake_sample_total();
  return stream == v1::TIMER ? report.timer_sample_total() : report.iteration_cost_sample_total();
}

void ExpectOnlyDeclaredStreams(const v1::WorkerReport& report, const v1::WorkTypeInfo& type) {
  for (const v1::SampleStream stream : {v1::WAKE, v1::ITERATION_COST, v1::TIMER}) {
    if (std::count(type.streams().begin(), type.streams().end(), stream) != 0) continue;
    EXPECT_EQ(Samples(report, stream), 0u) << v1::SampleStream_Name(stream);
  }
}

}  // namespace

std::vector<std::string> WorkTypeFields() {
  std::vector<std::string> fields;
  const google::protobuf::OneofDescriptor* const arms = v1::Work::descriptor()->oneof_decl(0);
  for (int i = 0; i < arms->field_count(); ++i) {
    if (arms->field(i)->name() != "custom") fields.push_back(arms->field(i)->name());
  }
  return fields;
}

std::string WorkTypeName(const testing::TestParamInfo<std::string>& info) { return info.param; }

bool WorkTypeTest::MustMarkTime(const v1::GetServerInfoResponse& info, const v1::WorkerReport& report) {
  const std::string& field = GetParam();
  if (field == "io_rand_read" || field == "io_convoy") return !HasDirectIo(info.kernel_release());
  if (field == "numa_migration_churn" || field == "numa_working_set_sweep") return info.topology().nodes_size() < 2;
  // Only the emulator's network has a card.
  const bool has_card = guest().transport().kind == vm::TransportKind::kForwardedPort;
  // The emulator takes a frame and gives nothing back, so the receiver hears nothing.
  if (field == "irq_wake") return !has_card || report.worker_index() == 1;
  return field == "net_traffic" && !has_card;
}

TEST_P(WorkTypeTest, RunsOrSaysWhyItMarksTime) {
  const auto info = client().ServerInfo();
  ASSERT_TRUE(info.ok()) << info.status();
  const auto type = std::find_if(info->work_types().begin(), info->work_types().end(),
                                 [](const v1::WorkTypeInfo& one) { return one.field() == GetParam(); });
  ASSERT_NE(type, info->work_types().end()) << "the catalogue does not have it";
  const bool starves = MayStarve(GetParam());
  const auto reports = RunSpec(SpecFor(*type), [&](const std::vector<uint64_t>& iterations) {
    if (!starves) return AllWorked(iterations);
    return std::any_of(iterations.begin(), iterations.end(), [](uint64_t n) { return n > 0; });
  });
  for (const v1::WorkerReport& report : reports) {
    // Kept from its first iteration until the stop, it may not even have begun; it is no sentinel for that.
    if (starves && report.iterations() == 0) {
      EXPECT_FALSE(report.has_exit_info()) << report.ShortDebugString();
      continue;
    }
    ExpectSound(report);
    ExpectOnlyDeclaredStreams(report, *type);
    EXPECT_EQ(report.noop_reason() != "", MustMarkTime(*info, report)) << report.noop_reason();
    EXPECT_GT(report.iterations(), 0u);
  }
}

}  // namespace muster
