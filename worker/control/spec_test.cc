#include "worker/control/spec.h"

#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "muster/v1/options.pb.h"

namespace muster {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::TextFormat;
using ::testing::HasSubstr;
using ::testing::StartsWith;

v1::Work WorkFrom(const std::string& text) {
  v1::Work work;
  EXPECT_TRUE(TextFormat::ParseFromString(text, &work)) << text;
  return work;
}

v1::Work Resolved(const std::string& text) {
  v1::Work work = WorkFrom(text);
  ResolveWork(&work);
  return work;
}

std::string RangeError(const std::string& text) {
  const absl::Status status = CheckWorkRanges(WorkFrom(text));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(status.message());
}

// Every message type that can stand below a Work.
void CollectTypes(const Descriptor* type, std::set<const Descriptor*>* types) {
  if (!types->insert(type).second) return;
  for (int i = 0; i < type->field_count(); ++i) {
    if (type->field(i)->message_type() != nullptr) CollectTypes(type->field(i)->message_type(), types);
  }
}

TEST(GroupOfTest, GroupZeroHasEveryFieldOfThePrimaryGroup) {
  v1::WorkloadSpec spec;
  ASSERT_TRUE(TextFormat::ParseFromString(R"pb(
                                            num_workers: 4
                                            work { spin_wait {} }
                                            affinity { inherit {} }
                                            sched_policy { batch {} }
                                            mem_policy { local {} }
                                            mpol_flags: [ STATIC_NODES, NUMA_BALANCING ]
                                            nice: 0
                                            comm: "w"
                                            uid: 1
                                            gid: 2
                                            numa_node: 0
                                            cgroup: "cg0"
                                            workers_pct: 0.5
                                          )pb",
                                          &spec));
  const v1::GroupSpec group = GroupOf(spec, 0);
  std::vector<const FieldDescriptor*> present;
  group.GetReflection()->ListFields(group, &present);
  EXPECT_EQ(present.size(), static_cast<size_t>(v1::GroupSpec::descriptor()->field_count()));
  EXPECT_EQ(group.SerializeAsString(), spec.SerializeAsString()) << "the fields of both messages have the same numbers";
}

TEST(GroupOfTest, AbsentFieldsStayAbsent) { EXPECT_EQ(GroupOf(v1::WorkloadSpec(), 0).SerializeAsString(), ""); }

TEST(GroupOfTest, GroupIIsTheComposedEntryBeforeIt) {
  v1::WorkloadSpec spec;
  spec.add_composed()->set_num_workers(3);
  spec.add_composed()->set_num_workers(5);
  EXPECT_EQ(NumGroups(spec), 3u);
  EXPECT_EQ(GroupOf(spec, 2).num_workers(), 5u);
  EXPECT_EQ(GroupPath(0), "");
  EXPECT_EQ(GroupPath(2), "composed[1].");
}

TEST(ResolveWorkTest, AbsentParametersTakeTheirDefaults) {
  EXPECT_EQ(Resolved("pipe_io {}").pipe_io().burst_iters(), 1024u);
  EXPECT_EQ(Resolved("alu_hot {}").alu_hot().width(), v1::WIDEST);
  const v1::Work bursty = Resolved("bursty {}");
  EXPECT_EQ(bursty.bursty().burst_duration().nanos(), 50'000'000);
  EXPECT_EQ(bursty.bursty().sleep_duration().nanos(), 100'000'000);
}

TEST(ResolveWorkTest, PresentParametersStay) {
  const v1::Work work = Resolved("page_fault_churn { region_kib: 0 touches_per_cycle: 7 }");
  EXPECT_EQ(work.page_fault_churn().region_kib(), 0u);
  EXPECT_EQ(work.page_fault_churn().touches_per_cycle(), 7u);
  EXPECT_EQ(work.page_fault_churn().spin_iters(), 64u);
}

TEST(ResolveWorkTest, PresentSubMessagesAreResolvedAndAbsentOnesAreNotMade) {
  EXPECT_EQ(Resolved("custom { program { path: '/x' } }").custom().program().stop_signal(), 15);
  EXPECT_FALSE(Resolved("custom { function { name: 'f' } }").custom().has_program());
}

TEST(ResolveWorkTest, AWorkWithoutATypeStaysEmpty) { EXPECT_EQ(Resolved("").SerializeAsString(), ""); }

TEST(ResolveWorkTest, EveryDefaultOfEveryTypeParsesAndIsInRange) {
  std::set<const Descriptor*> types;
  CollectTypes(v1::Work::descriptor(), &types);
  for (int i = 0; i < v1::Work::descriptor()->field_count(); ++i) {
    const FieldDescriptor* arm = v1::Work::descriptor()->field(i);
    v1::Work work;
    work.GetReflection()->MutableMessage(&work, arm);
    ResolveWork(&work);
    const google::protobuf::Message& parameters = work.GetReflection()->GetMessage(work, arm);
    for (int k = 0; k < arm->message_type()->field_count(); ++k) {
      const FieldDescriptor* field = arm->message_type()->field(k);
      if (!field->options().HasExtension(v1::rule) || field->is_repeated()) continue;
      // Only a text may be empty by default, and then it is so by being absent.
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) continue;
      EXPECT_TRUE(parameters.GetReflection()->HasField(parameters, field)) << field->full_name();
    }
    if (arm->message_type()->real_oneof_decl_count() == 0) {
      EXPECT_TRUE(CheckWorkRanges(work).ok()) << CheckWorkRanges(work);
    }
  }
}

TEST(CheckWorkRangesTest, AValueAboveItsMaximumIsNamedWithItsRange) {
  EXPECT_EQ(RangeError("pipe_io { burst_iters: 5000000000 }"),
            "pipe_io.burst_iters: 5000000000 is above its maximum 1000000000; choose 0 to 1000000000");
}

TEST(CheckWorkRangesTest, AnUnsigned64BitValueBeyondTheSignedRangeIsAboveItsMaximum) {
  EXPECT_THAT(RangeError("pipe_io { burst_iters: 18446744073709551615 }"),
              StartsWith("pipe_io.burst_iters: 18446744073709551615 is above"));
}

TEST(CheckWorkRangesTest, AValueBelowItsMinimumIsNamedWithItsRange) {
  EXPECT_EQ(RangeError("timer_latency { interval_us: 0 }"),
            "timer_latency.interval_us: 0 is below its minimum 1; choose 1 to 3600000000");
}

TEST(CheckWorkRangesTest, DurationsAreComparedInNanosecondsAndShownAsDurations) {
  EXPECT_EQ(RangeError("bursty { burst_duration { seconds: 3601 } }"),
            "bursty.burst_duration: 1h1s is above its maximum 1h; choose 0 to 1h");
  EXPECT_THAT(RangeError("bursty { sleep_duration { nanos: -1 } }"), HasSubstr("-1ns is below its minimum 0"));
  EXPECT_TRUE(CheckWorkRanges(WorkFrom("bursty { burst_duration { seconds: 3600 } }")).ok());
}

TEST(CheckWorkRangesTest, AMalformedDurationIsRefused) {
  EXPECT_THAT(RangeError("bursty { burst_duration { seconds: 1 nanos: -1 } }"), HasSubstr("no valid duration"));
  EXPECT_THAT(RangeError("bursty { burst_duration { nanos: 1000000000 } }"), HasSubstr("no valid duration"));
  EXPECT_THAT(RangeError("bursty { burst_duration { seconds: 9223372036854775807 } }"), HasSubstr("no valid duration"));
}

TEST(CheckWorkRangesTest, RepeatedFieldsAreNamedByIndex) {
  EXPECT_THAT(RangeError("sequence { phases { spin {} } phases { sleep { duration { seconds: -5 } } } }"),
              StartsWith("sequence.phases[1].sleep.duration: -5s is below its minimum 0"));
}

TEST(CheckWorkRangesTest, UnspecifiedAndUnknownEnumValuesAreRefused) {
  EXPECT_THAT(RangeError("alu_hot { width: ALU_WIDTH_UNSPECIFIED }"),
              StartsWith("alu_hot.width: 0 (unspecified) is no AluWidth; choose one of SCALAR, "));
  v1::Work work;
  work.mutable_alu_hot()->set_width(static_cast<v1::AluWidth>(99));
  EXPECT_THAT(std::string(CheckWorkRanges(work).message()), StartsWith("alu_hot.width: 99 is no AluWidth"));
}

TEST(CheckWorkRangesTest, AnUnsetOneofIsRefusedAtEveryLevel) {
  EXPECT_THAT(RangeError(""), StartsWith("type: none is set; choose one of spin_wait, "));
  EXPECT_THAT(RangeError("sequence { phases {} }"),
              StartsWith("sequence.phases[0].kind: none is set; choose one of spin"));
  EXPECT_THAT(RangeError("custom { label: 'x' }"),
              StartsWith("custom.form: none is set; choose one of program, function"));
}

TEST(WorkNameTest, IsTheNameOfTheMessageOrTheLabel) {
  EXPECT_EQ(WorkName(WorkFrom("pipe_io {}")), "PipeIo");
  EXPECT_EQ(WorkName(WorkFrom("custom { label: 'mine' function {} }")), "mine");
  EXPECT_EQ(WorkName(WorkFrom("custom { function {} }")), "Custom");
  EXPECT_EQ(WorkName(v1::Work()), "");
}

TEST(IsOneProcessTest, ThreadsAndPcommShareAProcess) {
  v1::WorkloadSpec spec;
  EXPECT_FALSE(IsOneProcess(spec));
  spec.set_clone_mode(v1::FORK);
  EXPECT_FALSE(IsOneProcess(spec));
  spec.set_clone_mode(v1::THREAD);
  EXPECT_TRUE(IsOneProcess(spec));
  spec.clear_clone_mode();
  spec.mutable_pcomm();
  EXPECT_TRUE(IsOneProcess(spec));
}

}  // namespace
}  // namespace muster
