#include "daemon/spec/resolve.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/error_detail.h"
#include "google/protobuf/text_format.h"

namespace muster {
namespace {

CpuSet Cpus(const std::string& text) { return CpuSet::Parse(text).value(); }

// Eight CPUs, two caches, cores {0,4} {1,5} {2,6} {3,7}.
class ResolveTest : public testing::Test {
 protected:
  ResolveTest() {
    topology_.online = Cpus("0-7");
    topology_.cores = {Cpus("0,4"), Cpus("1,5"), Cpus("2,6"), Cpus("3,7")};
    topology_.llcs = {Cpus("0-1,4-5"), Cpus("2-3,6-7")};
    cpusets_[""] = Cpus("0-7");
  }

  absl::StatusOr<ResolvedSpec> Try(const std::string& text) {
    v1::WorkloadSpec spec;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &spec)) << text;
    return Resolve(spec, {&limits_, &topology_, [this](const std::string& name) { return CpusOf(name); }, seed_});
  }
  ResolvedSpec Done(const std::string& text) {
    auto resolved = Try(text);
    EXPECT_TRUE(resolved.ok()) << resolved.status();
    return resolved.ok() ? *std::move(resolved) : ResolvedSpec();
  }
  // Of a pool with this affinity in cgroup "c".
  std::string Fixed(const std::string& affinity) {
    return Done("cgroup: \"c\" affinity { " + affinity + " {} }").groups.at(0).cpus;
  }

  absl::StatusOr<CpuSet> CpusOf(const std::string& name) {
    const auto found = cpusets_.find(name);
    if (found == cpusets_.end()) return absl::NotFoundError(name);
    return found->second;
  }

  Limits limits_;
  Topology topology_;
  std::map<std::string, CpuSet> cpusets_;
  uint64_t seed_ = 42;
};

TEST_F(ResolveTest, TheEmptySpecIsOneForkedSpinWaitWorker) {
  const ResolvedSpec resolved = Done("");
  EXPECT_EQ(resolved.num_workers, 1u);
  EXPECT_EQ(resolved.spec.num_workers(), 1u);
  EXPECT_TRUE(resolved.spec.work().has_spin_wait());
  EXPECT_EQ(resolved.spec.clone_mode(), v1::FORK);
  EXPECT_TRUE(resolved.spec.affinity().has_inherit());
  EXPECT_TRUE(resolved.spec.sched_policy().has_normal());
  EXPECT_TRUE(resolved.spec.mem_policy().has_default_policy());
  EXPECT_FALSE(resolved.spec.has_nice()) << "absent means: no call";
  EXPECT_EQ(resolved.spec.max_samples(), 100'000u);
  EXPECT_EQ(resolved.spec.max_migrations(), 256u);
  EXPECT_EQ(resolved.spec.seed(), 42u);
  EXPECT_EQ(resolved.spec.gap_threshold().seconds(), 2);
  EXPECT_EQ(resolved.spec.duration().seconds(), 1);
  EXPECT_EQ(resolved.groups.at(0).cpus, "");
}

TEST_F(ResolveTest, ParametersOfWorkTakeTheirDefaultsInEveryGroup) {
  const ResolvedSpec resolved = Done("work { pipe_io {} } composed { num_workers: 3 work { timer_latency {} } }");
  EXPECT_EQ(resolved.spec.work().pipe_io().burst_iters(), 1024u);
  EXPECT_EQ(resolved.spec.composed(0).work().timer_latency().interval_us(), 1000u);
  EXPECT_EQ(resolved.num_workers, 4u);
}

TEST_F(ResolveTest, PcommIsThreadMode) { EXPECT_EQ(Done("pcomm { name: \"p\" }").spec.clone_mode(), v1::THREAD); }

TEST_F(ResolveTest, AnAbsentPeriodIsTheDeadline) {
  const auto policy =
      Done("sched_policy { deadline { runtime { nanos: 2000 } deadline { nanos: 9000 } } }").spec.sched_policy();
  EXPECT_EQ(policy.deadline().period().nanos(), 9000);
}

TEST_F(ResolveTest, WorkersPctIsTheShareOfTheTargetCpusetRoundedUp) {
  cpusets_["c"] = Cpus("0-4");
  EXPECT_EQ(Done("workers_pct: 0.5 cgroup: \"c\"").num_workers, 3u);
  EXPECT_EQ(Done("workers_pct: 0.0001").num_workers, 1u);
  const ResolvedSpec oversubscribed = Done("workers_pct: 2.5");
  EXPECT_EQ(oversubscribed.num_workers, 20u);
  EXPECT_FALSE(oversubscribed.spec.has_workers_pct());
  EXPECT_EQ(oversubscribed.spec.num_workers(), 20u);
}

TEST_F(ResolveTest, WorkersPctCannotPassTheLimit) {
  EXPECT_EQ(LimitOf(Try("workers_pct: 1e300").status()).value().name, "max_workers");
  limits_.max_workers = 10;
  EXPECT_EQ(LimitOf(Try("workers_pct: 1 composed { workers_pct: 1 }").status()).value().name, "max_workers");
}

TEST_F(ResolveTest, ExactIsKeptAsItWasWritten) {
  cpusets_["c"] = Cpus("0-2");
  const ResolvedSpec resolved = Done("cgroup: \"c\" affinity { exact { cpus: \"1-5\" } }");
  EXPECT_EQ(resolved.groups[0].cpus, "1-5");
  EXPECT_EQ(resolved.spec.affinity().exact().cpus(), "1-5");
}

TEST_F(ResolveTest, CpusOutsideOfTheCpusetAreRefused) {
  cpusets_["c"] = Cpus("0-2");
  EXPECT_EQ(FieldOf(Try("cgroup: \"c\" affinity { exact { cpus: \"4-5\" } }").status()), "affinity.exact.cpus");
  EXPECT_EQ(FieldOf(Try("composed { num_workers: 1 cgroup: \"c\" affinity { random_subset { from: \"7\" count: 1 } } }")
                        .status()),
            "composed[0].affinity.random_subset.from");
}

TEST_F(ResolveTest, SingleCpuIsTheLowestOfTheCpuset) {
  cpusets_["c"] = Cpus("3,5-7");
  EXPECT_EQ(Fixed("single_cpu"), "3");
}

TEST_F(ResolveTest, LlcAlignedIsTheCacheWithMostCpusOfTheCpusetFirstOnTies) {
  cpusets_["c"] = Cpus("1-3,6");
  EXPECT_EQ(Fixed("llc_aligned"), "2-3,6");
  cpusets_["c"] = Cpus("0-3");
  EXPECT_EQ(Fixed("llc_aligned"), "0-1");
}

TEST_F(ResolveTest, CrossCgroupIsEveryCpu) {
  cpusets_["c"] = Cpus("2");
  EXPECT_EQ(Fixed("cross_cgroup"), "0-7");
}

TEST_F(ResolveTest, EachPairOfWorkersGetsACoreOfItsOwn) {
  const ResolvedSpec resolved = Done("num_workers: 5 affinity { smt_sibling_pair {} }");
  EXPECT_EQ(resolved.groups[0].worker_cpus, (std::vector<std::string>{"0,4", "0,4", "1,5", "1,5", "2,6"}));
  EXPECT_EQ(resolved.spec.affinity().exact().cpus(), "0-2,4-6");
}

TEST_F(ResolveTest, PairsTakeOnlyCoresWithTwoThreadsInTheCpuset) {
  cpusets_["c"] = Cpus("0-3,7");
  const ResolvedSpec resolved = Done("num_workers: 2 cgroup: \"c\" affinity { smt_sibling_pair {} }");
  EXPECT_EQ(resolved.groups[0].worker_cpus, (std::vector<std::string>{"3,7", "3,7"}));
}

TEST_F(ResolveTest, MorePairsThanCoresAreRefusedWithTheNumbers) {
  const auto refused = Try("num_workers: 9 affinity { smt_sibling_pair {} }");
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(refused.status().message().find("5 pairs"), std::string::npos) << refused.status();
}

TEST_F(ResolveTest, RandomSubsetsAreDrawnPerWorkerInsideThePool) {
  cpusets_["c"] = Cpus("0-5");
  const ResolvedSpec resolved =
      Done("num_workers: 200 cgroup: \"c\" affinity { random_subset { from: \"2-7\" count: 2 } }");
  EXPECT_EQ(resolved.spec.affinity().random_subset().from(), "2-5");
  std::set<std::string> different;
  for (const std::string& cpus : resolved.groups[0].worker_cpus) {
    EXPECT_EQ(Cpus(cpus).Count(), 2u);
    EXPECT_TRUE(Cpus(cpus).IsSubsetOf(Cpus("2-5")));
    different.insert(cpus);
  }
  EXPECT_EQ(different.size(), 6u) << "200 draws reach each of the 6 pairs";
}

TEST_F(ResolveTest, RandomCountsAreClampedToThePool) {
  const ResolvedSpec resolved = Done("affinity { random_subset { from: \"2-3\" count: 9 } }");
  EXPECT_EQ(resolved.spec.affinity().random_subset().count(), 2u);
  EXPECT_EQ(resolved.groups[0].worker_cpus.at(0), "2-3");
}

TEST_F(ResolveTest, TheSameSeedDrawsTheSameAndTheResolvedSpecRepeatsItself) {
  const std::string text = "num_workers: 50 affinity { random_subset { from: \"0-7\" count: 3 } }";
  const ResolvedSpec first = Done(text);
  EXPECT_EQ(Done(first.spec.DebugString()).groups[0].worker_cpus, first.groups[0].worker_cpus);
  seed_ = 43;
  EXPECT_NE(Done(text).groups[0].worker_cpus, first.groups[0].worker_cpus);
  EXPECT_EQ(Done(text + " seed: 42").groups[0].worker_cpus, first.groups[0].worker_cpus);
}

TEST_F(ResolveTest, GroupsDrawIndependently) {
  const ResolvedSpec resolved = Done(
      "num_workers: 50 affinity { random_subset { from: \"0-7\" count: 3 } }"
      "composed { num_workers: 50 affinity { random_subset { from: \"0-7\" count: 3 } } }");
  EXPECT_NE(resolved.groups[0].worker_cpus, resolved.groups[1].worker_cpus);
}

TEST_F(ResolveTest, AnUnknownCgroupIsNotFoundAndSaysWhatToDo) {
  const absl::Status status = Try("composed { num_workers: 1 cgroup: \"nowhere\" }").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(status.message().find("composed[0].cgroup"), std::string::npos);
  EXPECT_NE(status.message().find("CreateCgroup"), std::string::npos);
}

TEST_F(ResolveTest, CgroupsOfTheSpecAreForeseen) {
  cpusets_["there"] = Cpus("0-3");
  const std::string cgroups =
      "cgroups { name: \"new\" settings { cpuset_cpus: \"2-3\" } }"
      "cgroups { name: \"there/below\" settings { cpuset_cpus: \"3-5\" } }"
      "cgroups { name: \"there/all\" }"
      "cgroups { name: \"there/lost\" settings { cpuset_cpus: \"6\" } }";
  const auto single = [&](const std::string& name) {
    return Done(cgroups + "cgroup: \"" + name + "\" workers_pct: 1").num_workers;
  };
  EXPECT_EQ(single("new"), 2u);
  EXPECT_EQ(single("there/below"), 1u);
  EXPECT_EQ(single("there/all"), 4u);
  EXPECT_EQ(single("there/lost"), 4u) << "an unusable cpuset falls back to the parent's";
}

TEST_F(ResolveTest, ParentsMadeOnTheWayAreForeseenToo) {
  EXPECT_EQ(Done("cgroups { name: \"a/b/c\" } cgroup: \"a/b\" workers_pct: 1").num_workers, 8u);
  EXPECT_EQ(
      Done("cgroups { name: \"a/b/c\" settings { cpuset_cpus: \"1\" } } cgroup: \"a/b/c\" workers_pct: 1").num_workers,
      1u);
}

TEST_F(ResolveTest, ACgroupWithoutCpusIsRefused) {
  cpusets_["c"] = CpuSet();
  EXPECT_EQ(Try("cgroup: \"c\"").status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace muster
