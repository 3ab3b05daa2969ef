// What every work type promises, tried on each that the registry holds.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/cgroup_testing.h"
#include "muster/v1/options.pb.h"
#include "worker/control/spec.h"
#include "worker/core/group_fixture.h"
#include "worker/work/testing/bystander.h"
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
void PrintTo(const Case& one, std::ostream* out) { *out << one.field << (one.threads ? " threads" : " processes"); }

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
  // Enough for one iteration of every type with its defaults, and not for two of one that is stuck in a wait of a
  // slice.
  static constexpr absl::Duration kFirstProgress = absl::Milliseconds(kSlowdown * 300);
  // For streams that only a coincidence fills, as a lock that is taken when asked for.
  static constexpr absl::Duration kPatience = absl::Seconds(2);

  // Members live in a cgroup and a directory of the test's own, so that what they leave there can be seen, together
  // with somebody whom they have to leave alone.
  void SetUp() override {
    if (!EnterPrivateNetwork()) GTEST_SKIP() << "needs CAP_SYS_ADMIN for a network of its own";
    std::filesystem::create_directory(io_directory_);
    setenv("MUSTER_IO_DIR", io_directory_.c_str(), 1);
    bystander_.MoveTo(cgroup_.dir());
  }
  void TearDown() override {
    EXPECT_EQ(bystander_.Change(), "");
    const absl::StatusOr<std::vector<std::string>> cgroups = cgroup_.dir().Children();
    ASSERT_TRUE(cgroups.ok()) << cgroups.status();
    EXPECT_TRUE(cgroups->empty()) << "it left the cgroup " << cgroups->front();
    EXPECT_TRUE(!std::filesystem::exists(io_directory_) || std::filesystem::is_empty(io_directory_))
        << "it left a file";
    std::filesystem::remove_all(io_directory_);
  }

  GroupRunOptions Options() const {
    GroupRunOptions options;
    options.work = ResolvedWork(TextFor(GetParam().field));
    options.threads = GetParam().threads;
    // It works on others of its pool.
    options.instances = GetParam().field == "cross_affinity_churn" ? 2 : 1;
    options.cpu_of = [](const WorkerPlace&) { return 1; };
    if (GetParam().field == "cross_affinity_churn") options.cpu_of = nullptr;
    options.before = [this](const WorkerPlace&) { ASSERT_TRUE(cgroup_.dir().MoveSelfHere().ok()); };
    return options;
  }
  // Real-time work gets no more than the first.
  absl::Duration Patience() const { return IsRealTime(GetParam().field) ? kFirstProgress : kPatience; }
  absl::Duration DrainBound() const { return FindWorkType(Options().work.type_case())->DrainBound(Options().work); }
  absl::Duration StopBound() const { return GroupRun::kStopBound + DrainBound(); }
  bool MeetsNeeds() const {
    if (IsRealTime(GetParam().field) && !RealTimeIsAllowed()) return false;
    for (const Need& need : FindWorkType(Options().work.type_case())->Describe().needs) {
      if (!need.met) return false;
    }
    return true;
  }

 private:
  const ScratchCgroup cgroup_;
  const std::string io_directory_ = absl::StrCat(testing::TempDir(), "conformance-", getpid());
  Bystander bystander_;
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
  // A disk that others use may take its time as it may with a stop.
  const absl::Duration first = kFirstProgress + DrainBound();
  EXPECT_TRUE(starves ? (*run)->WithinShare([&] { return AnyProgress(**run); }, first)
                      : (*run)->WaitForIterations(1, first));
  if (!starves) {
    EXPECT_TRUE((*run)->WithinShare([&] { return Filled(**run) == declared; }, Patience()));
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

// What a member may count in an iteration, from the catalogue's words: "1024", "1024 (messenger: 1280)" for types with
// roles, "k * 256 (...)" for multiples, "64 * 101024" for a product. Nothing for a formula in words.
struct UnitsStated {
  std::vector<uint64_t> choices;
  bool multiples = false;
};

UnitsStated ParseUnits(const std::string& text) {
  UnitsStated stated;
  const std::string first = text.substr(0, text.find(' '));
  stated.multiples = first == "k" || first == "n";
  const bool is_formula = !stated.multiples && first.find_first_not_of("0123456789") != std::string::npos;
  if (is_formula) return stated;
  for (size_t at = 0; (at = text.find_first_of("0123456789", at)) != std::string::npos;) {
    size_t length = 0;
    stated.choices.push_back(std::stoull(text.substr(at), &length));
    at += length;
  }
  const bool is_product = !stated.multiples && text.find(" * ") != std::string::npos && stated.choices.size() == 2;
  if (is_product) stated.choices = {stated.choices[0] * stated.choices[1]};
  return stated;
}

// The stop may cut the last iteration short, or keep it from being counted.
bool Matches(const UnitsStated& stated, const MemberResult& result) {
  for (const uint64_t units : stated.choices) {
    if (stated.multiples && result.work_units % units == 0 && result.work_units >= result.iterations * units)
      return true;
    if (!stated.multiples && result.work_units + units >= result.iterations * units &&
        result.work_units <= (result.iterations + 1) * units) {
      return true;
    }
  }
  return false;
}

TEST_P(ConformanceTest, AnIterationIsTheUnitsThatTheCatalogueStates) {
  const std::string text = FindWorkType(Options().work.type_case())->Describe().units_per_iteration;
  const UnitsStated stated = ParseUnits(text);
  if (stated.choices.empty()) GTEST_SKIP() << "a formula: " << text;
  absl::StatusOr<std::unique_ptr<GroupRun>> run = GroupRun::Start(Options());
  ASSERT_TRUE(run.ok()) << run.status();
  (*run)->WithinShare([&] { return AnyProgress(**run); }, Patience());
  const absl::Status stopped = (*run)->Stop(StopBound());
  ASSERT_TRUE(stopped.ok()) << stopped;
  if (!MeetsNeeds()) return;
  for (uint32_t i = 0; i < (*run)->size(); ++i) {
    EXPECT_TRUE(Matches(stated, (*run)->result(i)))
        << "position " << i << ": " << (*run)->result(i).work_units << " units in " << (*run)->result(i).iterations
        << " iterations, not " << text;
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

// `work` with one parameter set to `value`.
v1::Work WorkWith(v1::Work work, const google::protobuf::FieldDescriptor& arm,
                  const google::protobuf::FieldDescriptor& field, uint64_t value) {
  google::protobuf::Message* const params = work.GetReflection()->MutableMessage(&work, &arm);
  if (field.cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_UINT64) {
    params->GetReflection()->SetUInt64(params, &field, value);
  } else {
    params->GetReflection()->SetUInt32(params, &field, static_cast<uint32_t>(value));
  }
  return work;
}

TEST_P(ConformanceTest, AValueOutsideOfItsRangeIsRefusedByName) {
  const v1::Work resolved = Options().work;
  const google::protobuf::FieldDescriptor* const arm = v1::Work::descriptor()->FindFieldByName(GetParam().field);
  for (int i = 0; i < arm->message_type()->field_count(); ++i) {
    const google::protobuf::FieldDescriptor* const field = arm->message_type()->field(i);
    const v1::Rule& rule = field->options().GetExtension(v1::rule);
    const bool is_number = field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_UINT64 ||
                           field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_UINT32;
    if (!rule.has_max() || !is_number || field->is_repeated()) continue;
    std::vector<uint64_t> wrong = {static_cast<uint64_t>(rule.max()) + 1};
    if (rule.min() > 0) wrong.push_back(static_cast<uint64_t>(rule.min()) - 1);
    for (const uint64_t value : wrong) {
      const absl::Status status = CheckWorkRanges(WorkWith(resolved, *arm, *field, value));
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << field->name() << ": " << value;
      EXPECT_NE(status.message().find(absl::StrCat(field->name(), ": ", value)), absl::string_view::npos) << status;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, ConformanceTest, testing::ValuesIn(Cases()), [](const auto& one) {
  return absl::StrCat(one.param.field, one.param.threads ? "_threads" : "_processes");
});

}  // namespace
}  // namespace muster
