// Wrong specs: the code, the field, the fix, and a daemon that serves on.
#include <grpcpp/grpcpp.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/test_run.h"
#include "google/rpc/error.pb.h"
#include "tests/support/live_test.h"

namespace muster {
namespace {

struct WrongSpec {
  const char* name;
  const char* spec;
  const char* field;  // as the BadRequest names it
  const char* hint;   // part of the message
};

void PrintTo(const WrongSpec& wrong, std::ostream* out) { *out << wrong.name; }

class InvalidSpecTest : public LiveTest, public testing::WithParamInterface<WrongSpec> {};

std::string FieldsOf(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload("type.googleapis.com/google.rpc.BadRequest");
  google::rpc::BadRequest details;
  if (!payload.has_value() || !details.ParseFromString(std::string(*payload))) return "";
  std::string fields;
  for (const auto& violation : details.field_violations()) absl::StrAppend(&fields, violation.field(), " ");
  return fields;
}

TEST_P(InvalidSpecTest, IsRefusedWithTheFieldAndTheFix) {
  const absl::Status status = client_->Spawn(Spec(GetParam().spec)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_TRUE(absl::StrContains(FieldsOf(status), absl::StrCat(GetParam().field, " "))) << FieldsOf(status) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), GetParam().hint)) << status;
  EXPECT_TRUE(client_->Spawn(Spec("")).ok()) << "the daemon serves on";
}

INSTANTIATE_TEST_SUITE_P(
    Specs, InvalidSpecTest,
    testing::Values(
        WrongSpec{"ZeroWorkers", "num_workers: 0", "spec.num_workers", "at least 1"},
        WrongSpec{"ZeroComposedWorkers", "composed { num_workers: 0 work { mixed {} } }",
                  "spec.composed[0].num_workers", "at least 1"},
        WrongSpec{"ComposedWithoutCount", "composed { work { mixed {} } }", "spec.composed[0].num_workers",
                  "num_workers"},
        WrongSpec{"ComposedWithoutAnything", "composed {}", "spec.composed[0]", "num_workers"},
        WrongSpec{"NotAMultipleOfTheGroup", "num_workers: 3 work { pipe_io {} }", "spec.num_workers",
                  "divisible by 2, got 3"},
        WrongSpec{"ComposedNotAMultiple", "composed { num_workers: 4 work { futex_fan_out {} } }",
                  "spec.composed[0].num_workers", "divisible by 5, got 4"},
        WrongSpec{"EmptyCpuSet", "affinity { exact {} }", "spec.affinity.exact.cpus", "inherit"},
        WrongSpec{"CpuThatDoesNotExist", "affinity { exact { cpus: '0,1000' } }", "spec.affinity.exact.cpus", "1000"},
        WrongSpec{"ComposedAffinity", "composed { num_workers: 1 work { mixed {} } affinity { exact { cpus: 'x' } } }",
                  "spec.composed[0].affinity.exact.cpus", "x"},
        WrongSpec{"EmptyRandomPool", "affinity { random_subset { count: 1 } }", "spec.affinity.random_subset.from", ""},
        WrongSpec{"ZeroRandomCount", "affinity { random_subset { from: '0' } }", "spec.affinity.random_subset.count",
                  "at least 1"},
        WrongSpec{"UnsetAffinity", "affinity {}", "spec.affinity", "inherit"},
        WrongSpec{"SixteenByteName", "comm: 'abcdefghijklmnop'", "spec.comm", "15"},
        WrongSpec{"EmptyName", "comm: ''", "spec.comm", ""},
        WrongSpec{"SixteenBytePcomm", "pcomm { name: 'abcdefghijklmnop' }", "spec.pcomm.name", "15"},
        WrongSpec{"CgroupPathThatLeaves", "cgroup: '../../etc'", "spec.cgroup", ".."},
        WrongSpec{"CgroupSpecThatLeaves", "cgroups { name: 'a/../b' }", "spec.cgroups[0].name", ".."},
        WrongSpec{"UnsetWork", "work {}", "spec.work", ""},
        WrongSpec{"UnsetPolicy", "sched_policy {}", "spec.sched_policy", ""},
        WrongSpec{"UnsetMemPolicy", "mem_policy {}", "spec.mem_policy", ""},
        WrongSpec{"EmptyBind", "mem_policy { bind {} }", "spec.mem_policy.bind.nodes", "node"},
        WrongSpec{"UnspecifiedCloneMode", "clone_mode: CLONE_MODE_UNSPECIFIED", "spec.clone_mode", "FORK"},
        WrongSpec{"UnspecifiedFlag", "mpol_flags: MPOL_FLAG_UNSPECIFIED", "spec.mpol_flags[0]", ""},
        WrongSpec{"FifoPriorityZero", "sched_policy { fifo { priority: 0 } }", "spec.sched_policy.fifo.priority", "1"},
        WrongSpec{"FifoPriorityOfControl", "sched_policy { fifo { priority: 99 } }", "spec.sched_policy.fifo.priority",
                  "98"},
        WrongSpec{"DeadlineRuntimeTooShort",
                  "sched_policy { deadline { runtime { nanos: 1000 } deadline { nanos: 2000000 } } }",
                  "spec.sched_policy.deadline.runtime", "1024"},
        WrongSpec{"DeadlineZero", "sched_policy { deadline { runtime { nanos: 2000 } } }",
                  "spec.sched_policy.deadline.deadline", ""},
        WrongSpec{"DeadlineRuntimeAboveDeadline",
                  "sched_policy { deadline { runtime { nanos: 3000000 } deadline { nanos: 2000000 } } }",
                  "spec.sched_policy.deadline.runtime", ""},
        WrongSpec{"NiceTwenty", "nice: 20", "spec.nice", "19"},
        WrongSpec{"ParameterOutOfRange", "work { pipe_io { burst_iters: 5000000000 } }",
                  "spec.work.pipe_io.burst_iters", "1000000000"},
        WrongSpec{"ZeroTimerInterval", "work { timer_latency { interval_us: 0 } }",
                  "spec.work.timer_latency.interval_us", "1"},
        WrongSpec{"SequenceWithoutPhases", "work { sequence {} }", "spec.work.sequence.phases", ""},
        WrongSpec{"UnknownFunction", "work { custom { function { name: 'nonesuch' } } }",
                  "spec.work.custom.function.name", "behave"},
        WrongSpec{"TooManySamples", "max_samples: 100001", "spec.max_samples", "100000"},
        WrongSpec{"BothCounts", "num_workers: 2 workers_pct: 0.5", "spec.workers_pct", "num_workers"},
        WrongSpec{"PcommWithFork", "pcomm { name: 'x' } clone_mode: FORK", "spec.clone_mode", "THREAD"},
        // docs/architecture.md, "What is refused, and why"
        WrongSpec{"CgroupChurnInThreads", "work { cgroup_churn {} } clone_mode: THREAD", "spec.work.cgroup_churn",
                  "it moves its whole process, and all neighbours with it); use clone_mode FORK"},
        WrongSpec{"CgroupChurnWithPcomm", "work { cgroup_churn {} } pcomm { name: 'x' }", "spec.work.cgroup_churn",
                  "does not run with pcomm"},
        WrongSpec{"ComposedCgroupAttachStormInThreads",
                  "clone_mode: THREAD composed { num_workers: 1 work { cgroup_attach_storm {} } }",
                  "spec.composed[0].work.cgroup_attach_storm", "it ignores SIGCHLD for its whole process"},
        WrongSpec{"CgroupAttachStormWithPcomm", "work { cgroup_attach_storm {} } pcomm { name: 'x' }",
                  "spec.work.cgroup_attach_storm", "use clone_mode FORK without pcomm"},
        WrongSpec{"ProgramInThreads", "work { custom { program { path: '/bin/true' } } } clone_mode: THREAD",
                  "spec.work.custom.program", "it needs clone_mode: FORK and no pcomm"}),
    [](const testing::TestParamInfo<WrongSpec>& wrong) { return std::string(wrong.param.name); });

using InvalidRequestTest = LiveTest;

TEST_F(InvalidRequestTest, UnknownEnumValueIsRefused) {
  v1::WorkloadSpec spec;
  spec.set_clone_mode(static_cast<v1::CloneMode>(77));
  const absl::Status status = client_->Spawn(spec).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_TRUE(absl::StrContains(FieldsOf(status), "spec.clone_mode ")) << status;
}

TEST_F(InvalidRequestTest, TwoToThe31WorkersAreALimitNotACrash) {
  const absl::Status status = client_->Spawn(Spec("num_workers: 2147483648")).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "max_workers")) << status;
  const absl::optional<absl::Cord> payload = status.GetPayload("type.googleapis.com/google.rpc.ErrorInfo");
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(payload.has_value() && info.ParseFromString(std::string(*payload)));
  EXPECT_EQ(info.reason(), "LIMIT_EXCEEDED");
  EXPECT_EQ(info.domain(), "muster.v1");
  EXPECT_TRUE(client_->Spawn(Spec("")).ok());
}

v1::WorkloadSpec SpecOfMegabytes(size_t megabytes) {
  v1::WorkloadSpec spec;
  spec.mutable_work()->mutable_custom()->mutable_function()->set_name("behave");
  spec.mutable_work()->mutable_custom()->mutable_function()->set_config(std::string(megabytes << 20, 'x'));
  return spec;
}

constexpr char kMegabytesAreSlow[] =
    "the thread sanitizer restores a stack for each suppressed access of gRPC, which takes longer for megabytes than "
    "keepalive waits";

TEST_F(InvalidRequestTest, FiveMegabyteSpecIsRefusedInWords) {
  if (kUnderTsan) GTEST_SKIP() << kMegabytesAreSlow;
  const absl::Status status = client_->Spawn(SpecOfMegabytes(5)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "max_spec_bytes")) << status;
  EXPECT_TRUE(client_->Spawn(Spec("")).ok());
}

TEST_F(InvalidRequestTest, TwentyMegabyteSpecGetsGrpcsOwnRefusal) {
  if (kUnderTsan) GTEST_SKIP() << kMegabytesAreSlow;
  const absl::Status status = client_->Spawn(SpecOfMegabytes(20)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_TRUE(client_->Spawn(Spec("")).ok());
}

TEST_F(InvalidRequestTest, ProgramsAreRefusedUnlessTheDaemonAllowsThem) {
  const absl::Status status =
      client_->Spawn(Spec("work { custom { label: 'p' program { path: '/bin/true' } } }")).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "--allow-exec")) << status;
}

}  // namespace
}  // namespace muster
