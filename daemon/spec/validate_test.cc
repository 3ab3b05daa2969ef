#include "daemon/spec/validate.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "base/error_detail.h"
#include "google/protobuf/text_format.h"

namespace muster {
namespace {

v1::WorkloadSpec Spec(const std::string& text) {
  v1::WorkloadSpec spec;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &spec)) << text;
  return spec;
}

class ValidateTest : public testing::Test {
 protected:
  ValidateTest() { topology_.online = CpuSet::Parse("0-3").value(); }

  absl::Status Check(const v1::WorkloadSpec& spec) { return Validate(spec, {&limits_, &topology_, allow_exec_}); }
  absl::Status Check(const std::string& text) { return Check(Spec(text)); }

  // The spec is refused for this field; returns the message.
  std::string Refused(const std::string& text, const std::string& field) {
    const absl::Status status = Check(text);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text << "\n" << status;
    EXPECT_EQ(FieldOf(status).value_or("no field"), field) << text << "\n" << status;
    return std::string(status.message());
  }
  void Accepted(const std::string& text) { EXPECT_EQ(Check(text), absl::OkStatus()) << text; }

  Limits limits_;
  Topology topology_;
  bool allow_exec_ = false;
};

TEST_F(ValidateTest, TheEmptySpecIsGood) { Accepted(""); }

TEST_F(ValidateTest, ZeroWorkersAreRefusedInEverySlot) {
  Refused("num_workers: 0", "num_workers");
  Refused("composed { num_workers: 1 work { mixed {} } } composed { num_workers: 0 work { mixed {} } }",
          "composed[1].num_workers");
}

TEST_F(ValidateTest, ZeroWorkersComeBeforeMemoryPolicies) {
  Refused("mem_policy { bind {} } composed { num_workers: 0 work { mixed {} } }", "composed[0].num_workers");
}

TEST_F(ValidateTest, MemoryPoliciesComeBeforeEverythingElse) {
  Refused("nice: 50 composed { num_workers: 1 mem_policy { bind {} } }", "composed[0].mem_policy.bind.nodes");
}

TEST_F(ValidateTest, AComposedGroupNeedsACount) {
  Refused("composed { work { mixed {} } }", "composed[0].num_workers");
}

TEST_F(ValidateTest, AnEmptyComposedGroupIsRefused) { Refused("composed { }", "composed[0]"); }

TEST_F(ValidateTest, WorkersPctIsFinitePositiveAndAlone) {
  Refused("workers_pct: 0", "workers_pct");
  Refused("workers_pct: -0.5", "workers_pct");
  Refused("workers_pct: nan", "workers_pct");
  Refused("workers_pct: inf", "workers_pct");
  Refused("num_workers: 2 workers_pct: 0.5", "workers_pct");
  Refused("composed { num_workers: 2 workers_pct: 0.5 }", "composed[0].workers_pct");
  Accepted("workers_pct: 2.5 composed { workers_pct: 0.1 }");
}

TEST_F(ValidateTest, TwoToThe31WorkersAreALimitError) {
  const absl::Status status = Check("num_workers: 2147483648");
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  ASSERT_TRUE(LimitOf(status).has_value());
  EXPECT_EQ(LimitOf(status)->name, "max_workers");
  EXPECT_NE(status.message().find("num_workers"), std::string::npos);
}

TEST_F(ValidateTest, TheWorkersOfAllGroupsCountTogether) {
  limits_.max_workers = 5;
  Accepted("num_workers: 2 composed { num_workers: 3 }");
  EXPECT_EQ(Check("num_workers: 3 composed { num_workers: 3 }").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Check("composed { num_workers: 5 }").code(), absl::StatusCode::kResourceExhausted)
      << "an absent count is 1";
  EXPECT_EQ(Check("num_workers: 4294967295 composed { num_workers: 4294967295 }").code(),
            absl::StatusCode::kResourceExhausted);
}

TEST_F(ValidateTest, ASpecAboveItsSizeLimitIsALimitError) {
  limits_.max_spec_bytes = 100;
  v1::WorkloadSpec spec;
  spec.mutable_work()->mutable_custom()->set_label(std::string(200, 'x'));
  const absl::Status status = Check(spec);
  ASSERT_TRUE(LimitOf(status).has_value()) << status;
  EXPECT_EQ(LimitOf(status)->name, "max_spec_bytes");
}

TEST_F(ValidateTest, EveryNodeSetMustNameANode) {
  for (const char* policy : {"bind", "interleave", "preferred_many", "weighted_interleave"}) {
    Refused(absl::StrCat("mem_policy { ", policy, " {} }"), absl::StrCat("mem_policy.", policy, ".nodes"));
    Refused(absl::StrCat("mem_policy { ", policy, " { nodes: \"64\" } }"),
            absl::StrCat("mem_policy.", policy, ".nodes"));
    Refused(absl::StrCat("mem_policy { ", policy, " { nodes: \"x\" } }"),
            absl::StrCat("mem_policy.", policy, ".nodes"));
    Accepted(absl::StrCat("mem_policy { ", policy, " { nodes: \"0-1\" } }"));
  }
  Refused("mem_policy { preferred { node: 64 } }", "mem_policy.preferred.node");
  Refused("mem_policy { }", "mem_policy");
  Accepted("mem_policy { local {} } mpol_flags: STATIC_NODES mpol_flags: NUMA_BALANCING");
}

TEST_F(ValidateTest, UnspecifiedAndUnknownFlagsAreRefused) {
  Refused("mpol_flags: STATIC_NODES mpol_flags: MPOL_FLAG_UNSPECIFIED", "mpol_flags[1]");
  v1::WorkloadSpec spec;
  spec.add_mpol_flags(static_cast<v1::MpolFlag>(77));
  EXPECT_EQ(FieldOf(Check(spec)), "mpol_flags[0]");
}

TEST_F(ValidateTest, UnspecifiedAndUnknownCloneModesAreRefused) {
  Refused("clone_mode: CLONE_MODE_UNSPECIFIED", "clone_mode");
  v1::WorkloadSpec spec;
  spec.set_clone_mode(static_cast<v1::CloneMode>(9));
  EXPECT_EQ(FieldOf(Check(spec)), "clone_mode");
}

TEST_F(ValidateTest, PcommIsOneNamedProcess) {
  Accepted("pcomm { name: \"fifteen bytes..\" } clone_mode: THREAD");
  Refused("pcomm { name: \"p\" } clone_mode: FORK", "clone_mode");
  Refused("pcomm { }", "pcomm.name");
  Refused("pcomm { name: \"sixteen bytes...\" }", "pcomm.name");
  Refused("pcomm { name: \"p\" uid: 4294967295 }", "pcomm.uid");
}

TEST_F(ValidateTest, TaskNamesHaveOneToFifteenBytesAndNoNul) {
  Accepted("comm: \"fifteen bytes..\"");
  Refused("comm: \"\"", "comm");
  Refused("comm: \"sixteen bytes...\"", "comm");
  Refused("comm: \"\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\"", "comm");
  Refused("comm: \"a\\000b\"", "comm");
  Refused("composed { num_workers: 1 comm: \"\" }", "composed[0].comm");
}

TEST_F(ValidateTest, NiceEndsAtMinus20And19) {
  Accepted("nice: -20");
  Accepted("nice: 19");
  Refused("nice: -21", "nice");
  Refused("nice: 20", "nice");
}

TEST_F(ValidateTest, IdsThatMeanLeaveItAreRefused) {
  Refused("uid: 4294967295", "uid");
  Refused("gid: 4294967295", "gid");
  Accepted("uid: 65534 gid: 0 numa_node: 3");
  Refused("numa_node: 64", "numa_node");
}

TEST_F(ValidateTest, AffinitiesNameCpusThatExist) {
  Accepted("affinity { exact { cpus: \"0,3\" } }");
  const std::string message = Refused("affinity { exact { } }", "affinity.exact.cpus");
  EXPECT_NE(message.find("inherit"), std::string::npos) << "the fix";
  EXPECT_NE(Refused("affinity { exact { cpus: \"2-4\" } }", "affinity.exact.cpus").find("0-3"), std::string::npos);
  Refused("affinity { exact { cpus: \"5000\" } }", "affinity.exact.cpus");
  Refused("affinity { exact { cpus: \"3-1\" } }", "affinity.exact.cpus");
  Refused("affinity { random_subset { count: 1 } }", "affinity.random_subset.from");
  Refused("affinity { random_subset { from: \"0-3\" } }", "affinity.random_subset.count");
  Accepted("affinity { random_subset { from: \"0-3\" count: 400 } }");
  Refused("affinity { }", "affinity");
  for (const char* intent : {"inherit", "single_cpu", "llc_aligned", "cross_cgroup", "smt_sibling_pair"}) {
    Accepted(absl::StrCat("affinity { ", intent, " {} }"));
  }
  Refused("composed { num_workers: 1 } composed { num_workers: 1 } composed { num_workers: 1 affinity { exact {} } }",
          "composed[2].affinity.exact.cpus");
}

TEST_F(ValidateTest, RealTimePrioritiesStayBelowTheLimit) {
  Accepted("sched_policy { fifo { priority: 1 } }");
  Accepted("sched_policy { round_robin { priority: 98 } }");
  Refused("sched_policy { fifo { priority: 0 } }", "sched_policy.fifo.priority");
  Refused("sched_policy { fifo { priority: 99 } }", "sched_policy.fifo.priority");
  limits_.max_worker_rt_priority = 10;
  Refused("sched_policy { round_robin { priority: 11 } }", "sched_policy.round_robin.priority");
  Refused("sched_policy { }", "sched_policy");
}

TEST_F(ValidateTest, DeadlineRulesInTheirOrder) {
  const auto refused = [this](const std::string& times, const std::string& field) {
    Refused(absl::StrCat("sched_policy { deadline { ", times, " } }"), absl::StrCat("sched_policy.deadline.", field));
  };
  const std::string huge = "{ seconds: 9300000000 }";
  refused("runtime " + huge + " deadline " + huge + " period " + huge, "runtime");
  refused("deadline " + huge + " period " + huge, "deadline");
  refused("period " + huge, "period");
  refused("runtime { nanos: 5000 }", "deadline");
  refused("runtime { nanos: 1023 } deadline { nanos: 500 }", "runtime");
  refused("runtime { nanos: 3000 } deadline { nanos: 2000 } period { nanos: 1000 }", "runtime");
  refused("runtime { nanos: 1024 } deadline { nanos: 2000 } period { nanos: 1999 }", "period");
  refused("runtime { nanos: -5000 } deadline { nanos: 2000 }", "runtime");
  Accepted("sched_policy { deadline { runtime { nanos: 1024 } deadline { nanos: 1024 } } }");
  Accepted("sched_policy { deadline { runtime { nanos: 1024 } deadline { nanos: 2000 } period { nanos: 2000 } } }");
}

TEST_F(ValidateTest, WorkMustBeSetAndWithinItsRanges) {
  Refused("work { }", "work");
  Refused("composed { num_workers: 1 work { } }", "composed[0].work");
  Refused("work { pipe_io { burst_iters: 1000000001 } }", "work.pipe_io.burst_iters");
  Refused("work { alu_hot { width: ALU_WIDTH_UNSPECIFIED } }", "work.alu_hot.width");
  Refused("composed { num_workers: 1 work { timer_latency { interval_us: 0 } } }",
          "composed[0].work.timer_latency.interval_us");
}

TEST_F(ValidateTest, ProgramsNeedPermissionAProcessOfTheirOwnAndAPath) {
  const std::string program = "work { custom { program { path: \"/bin/true\" } } }";
  const absl::Status refused = Check(program);
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(refused.message().find("--allow-exec"), std::string::npos);
  allow_exec_ = true;
  Accepted(program);
  Refused(program + " clone_mode: THREAD", "work.custom.program");
  Refused(program + " pcomm { name: \"p\" }", "work.custom.program");
  Refused("work { custom { program { path: \"true\" } } }", "work.custom.program.path");
  Refused("work { custom { program { path: \"/bin/true\" env: \"A=1\" env: \"B\" } } }", "work.custom.program.env[1]");
  Refused("work { custom { program { path: \"/bin/true\" stop_signal: 65 } } }", "work.custom.program.stop_signal");
  Refused("work { custom { function { } } }", "work.custom.function.name");
}

TEST_F(ValidateTest, CgroupNamesCannotLeaveTheRoot) {
  for (const char* name : {"", "..", "a/../b", "/a", "a//b", ".hidden", "a/."}) {
    Refused(absl::StrCat("cgroup: \"", name, "\""), "cgroup");
    Refused(absl::StrCat("cgroups { name: \"ok\" } cgroups { name: \"", name, "\" }"), "cgroups[1].name");
  }
  Accepted("cgroup: \"a/b\" cgroups { name: \"a/b\" }");
  Refused("cgroups { name: \"a\" } cgroups { name: \"a\" }", "cgroups[1].name");
}

TEST_F(ValidateTest, CapsAndDurations) {
  Accepted("max_samples: 0 max_migrations: 4096 gap_threshold { nanos: 1 } duration { seconds: 3 }");
  Refused("max_samples: 100001", "max_samples");
  Refused("max_migrations: 4097", "max_migrations");
  Refused("gap_threshold { }", "gap_threshold");
  Refused("duration { seconds: -1 }", "duration");
  Refused("duration { seconds: 1 nanos: 2000000000 }", "duration");
}

}  // namespace
}  // namespace muster
