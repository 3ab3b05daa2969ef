// What every work type promises, tried on each that the registry holds.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "worker/core/group_fixture.h"
#include "worker/work/testing/group_run.h"

namespace muster {
namespace {

// Types that do nothing without being told what: their text.
const char* Needed(const std::string& field) {
  if (field == "sequence")
    return "sequence { phases { spin { duration { nanos: 1000000 } } } phases { yield { duration { nanos: 1000000 } } "
           "} }";
  return nullptr;
}

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

v1::Work WorkOf(const std::string& field) {
  const char* const needed = Needed(field);
  return ResolvedWork(needed != nullptr ? needed : field + " {}");
}

class ConformanceTest : public testing::TestWithParam<Case> {
 protected:
  GroupRunOptions Options() const {
    GroupRunOptions options;
    options.work = WorkOf(GetParam().field);
    options.threads = GetParam().threads;
    options.cpu = 1;
    return options;
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

TEST_P(ConformanceTest, EveryMemberMakesProgressAndExactlyTheDeclaredStreamsFill) {
  absl::StatusOr<std::unique_ptr<GroupRun>> run = GroupRun::Start(Options());
  ASSERT_TRUE(run.ok()) << run.status();
  const uint32_t declared = FindWorkType(Options().work.type_case())->Streams(Options().work);
  EXPECT_TRUE((*run)->WaitForIterations(1, absl::Seconds(2)));
  EXPECT_TRUE(GroupRun::Eventually([&] { return Filled(**run) == declared; }, absl::Seconds(2)));
  const absl::Status stopped = (*run)->Stop();
  ASSERT_TRUE(stopped.ok()) << stopped;
  EXPECT_EQ(Filled(**run), declared);
  for (uint32_t i = 0; i < (*run)->size(); ++i) {
    EXPECT_GT((*run)->result(i).iterations, 0u) << "position " << i;
    EXPECT_FALSE((*run)->result(i).ended_by_itself) << "position " << i;
    EXPECT_EQ((*run)->result(i).noop_reason, "") << "position " << i;
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
    const absl::Status stopped = (*run)->Stop();
    ASSERT_TRUE(stopped.ok()) << "position " << position << ": " << stopped;
  }
}

INSTANTIATE_TEST_SUITE_P(All, ConformanceTest, testing::ValuesIn(Cases()), [](const auto& one) {
  return absl::StrCat(one.param.field, one.param.threads ? "_threads" : "_processes");
});

}  // namespace
}  // namespace muster
