// What every work type promises, tried on each that the registry holds.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "worker/core/group_fixture.h"
#include "worker/work/testing/group_run.h"
#include "worker/work/testing/private_network.h"
#include "worker/work/testing/real_time.h"

namespace muster {
namespace {

// A Work that shows what the type does, where the defaults do not.
std::string TextFor(const std::string& field) {
  if (field == "sequence")
    return "sequence { phases { spin { duration { nanos: 1000000 } } } phases { yield { duration { nanos: 1000000 } } "
           "} }";
  if (field == "ipc_variance") return "ipc_variance { hot_iters: 1000 }";
  // Frames stay in a network of the test's own.
  if (field == "net_traffic") return "net_traffic { interface: \"lo\" }";
  if (field == "irq_wake") return "irq_wake { interface: \"lo\" }";
  if (field == "cgroup_attach_storm") return "cgroup_attach_storm { dest: \"muster-no-such-cgroup\" }";
  if (field == "numa_migration_churn") return "numa_migration_churn { period_ms: 10 }";
  if (field == "numa_working_set_sweep") return "numa_working_set_sweep { sweep_period_ms: 10 }";
  return field + " {}";
}

// Real-time work keeps to CPU 1 and never takes long, so that the machine stays usable. Its members starve each other
// there.
bool IsRealTime(const std::string& field) {
  return field == "rt_starvation" || field == "preempt_storm" || field == "priority_inversion" ||
         field == "policy_churn";
}

// Members that the type itself keeps from running, or streams that only luck fills.
bool MayStarve(const std::string& field) { return field == "rt_starvation" || field == "priority_inversion"; }

struct Case {
  std::string field;
  bool threads = false;
};

std::vector<Case> Cases() {
  std::vector<Case> cases;
  const google::protobuf::OneofDescriptor* const arms = v1::Work::descriptor()->oneof_decl(0);
  for (int i = 0; i < arms->field_count(); ++i) {
    const auto arm = static_cast<v1::Work::TypeCase>(arms->field(i)->number());
    if (arm == v1::Work::kCustom || FindWorkType(arm) == nullptr) continue;
    cases.push_back({arms->field(i)->name(), false});
    if (FindWorkType(arm)->Describe().runs_in_threads) cases.push_back({arms->field(i)->name(), true});
  }
  return cases;
}

class ConformanceTest : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (!EnterPrivateNetwork()) GTEST_SKIP() << "needs CAP_SYS_ADMIN for a network of its own";
  }

  GroupRunOptions Options() const {
    GroupRunOptions options;
    options.work = ResolvedWork(TextFor(GetParam().field));
    options.threads = GetParam().threads;
    // It works on others of its pool.
    options.instances = GetParam().field == "cross_affinity_churn" ? 2 : 1;
    options.cpu_of = [](const WorkerPlace&) { return 1; };
    if (GetParam().field == "cross_affinity_churn") options.cpu_of = nullptr;
    return options;
  }
  absl::Duration Patience() const { return IsRealTime(GetParam().field) ? absl::Milliseconds(250) : absl::Seconds(2); }
  absl::Duration StopBound() const {
    const v1::Work work = Options().work;
    return absl::Milliseconds(250) + FindWorkType(work.type_case())->DrainBound(work);
  }
  bool MeetsNeeds() const {
    if (IsRealTime(GetParam().field) && !RealTimeIsAllowed()) return false;
    for (const Need& need : FindWorkType(Options().work.type_case())->Describe().needs) {
      if (!need.met) return false;
    }
    return true;
  }
};

// Streams that some member has filled by now.
uint32_t Filled(const GroupRun& run) {
  uint32_t filled = 0;
  for (uint32_t member = 0; member < run.size(); ++member) {
    for (uint32_t stream = 0; stream < arena::kStreams; ++stream) {
      if (run.samples(member, static_cast<arena::Stream>(stream)) != 0) filled |= 1u << stream;
    }
  }
  return filled;
}

bool AnyProgress(const GroupRun& run) {
  for (uint32_t member = 0; member < run.size(); ++member) {
    if (run.iterations(member) != 0) return true;
  }
  return false;
}

TEST_P(ConformanceTest, MembersMakeProgressAndExactlyTheDeclaredStreamsFill) {
  const bool starves = MayStarve(GetParam().field);
  absl::StatusOr<std::unique_ptr<GroupRun>> run = GroupRun::Start(Options());
  ASSERT_TRUE(run.ok()) << run.status();
  const uint32_t declared = FindWorkType(Options().work.type_case())->Streams(Options().work);
  EXPECT_TRUE(starves ? GroupRun::Eventually([&] { return AnyProgress(**run); }, Patience())
                      : (*run)->WaitForIterations(1, Patience()));
  if (!starves) {
    EXPECT_TRUE(GroupRun::Eventually([&] { return Filled(**run) == declared; }, Patience()));
  }
  const absl::Status stopped = (*run)->Stop(StopBound());
  ASSERT_TRUE(stopped.ok()) << stopped;
  EXPECT_EQ(Filled(**run) & ~declared, 0u);
  for (uint32_t i = 0; i < (*run)->size(); ++i) {
    EXPECT_FALSE((*run)->result(i).ended_by_itself) << "position " << i;
    if (MeetsNeeds()) {
      EXPECT_EQ((*run)->result(i).noop_reason, "") << "position " << i;
      EXPECT_EQ((*run)->result(i).policy_error, "") << "position " << i;
    }
  }
}

TEST_P(ConformanceTest, AnIterationIsTheUnitsThatTheCatalogueStates) {
  const WorkType& type = *FindWorkType(Options().work.type_case());
  const std::string stated = type.Describe().units_per_iteration;
  if (stated.find_first_not_of("0123456789") != std::string::npos) GTEST_SKIP() << "a formula: " << stated;
  const uint64_t units = std::stoull(stated);
  absl::StatusOr<std::unique_ptr<GroupRun>> run = GroupRun::Start(Options());
  ASSERT_TRUE(run.ok()) << run.status();
  GroupRun::Eventually([&] { return AnyProgress(**run); }, Patience());
  const absl::Status stopped = (*run)->Stop(StopBound());
  ASSERT_TRUE(stopped.ok()) << stopped;
  if (!MeetsNeeds()) return;
  for (uint32_t i = 0; i < (*run)->size(); ++i) {
    const MemberResult& result = (*run)->result(i);
    // The stop may cut the last iteration short, or keep it from being counted.
    EXPECT_GE(result.work_units + units, result.iterations * units) << "position " << i;
    EXPECT_LE(result.work_units, (result.iterations + 1) * units) << "position " << i;
  }
}

TEST_P(ConformanceTest, EachMemberStopsInTimeWithoutTheOthers) {
  const uint32_t group_size = FindWorkType(Options().work.type_case())->GroupSize(Options().work);
  for (uint32_t position = 0; position < group_size; ++position) {
    GroupRunOptions options = Options();
    options.only = {position};
    absl::StatusOr<std::unique_ptr<GroupRun>> run = GroupRun::Start(options);
    ASSERT_TRUE(run.ok()) << run.status();
    // Enough for it to reach its first wait, if it has one.
    (*run)->WaitBlocked(0, absl::Milliseconds(30));
    const absl::Status stopped = (*run)->Stop(StopBound());
    ASSERT_TRUE(stopped.ok()) << "position " << position << ": " << stopped;
  }
}

INSTANTIATE_TEST_SUITE_P(All, ConformanceTest, testing::ValuesIn(Cases()), [](const auto& one) {
  return absl::StrCat(one.param.field, one.param.threads ? "_threads" : "_processes");
});

}  // namespace
}  // namespace muster
