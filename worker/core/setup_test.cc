// Every step acts on a thread of its own, which ends with the test.
#include "worker/core/setup.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "worker/arena/text.h"
#include "worker/core/effective.h"

namespace muster {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

v1::GroupSpec Group(const std::string& text) {
  v1::GroupSpec group;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &group)) << text;
  return group;
}

void InThread(const std::function<void()>& body) { std::thread(body).join(); }

struct Outcome {
  arena::ErrorText errors[arena::kSetupSteps] = {};
  std::string Error(arena::SetupStep step) const { return std::string(arena::TextView(errors[step])); }
  bool ok() const {
    for (const arena::ErrorText& text : errors) {
      if (text.bytes[0] != 0) return false;
    }
    return true;
  }
};

Outcome Apply(const SetupRequest& request) {
  Outcome outcome;
  RunSetup(request, outcome.errors);
  return outcome;
}

Outcome Apply(const std::string& group_text) {
  const v1::GroupSpec group = Group(group_text);
  return Apply({.group = &group});
}

std::string Policy() {
  PolicyText text;
  ReadEffectivePolicy(&text);
  return std::string(arena::TextView(text));
}

std::string MemPolicy() {
  PolicyText text;
  ReadEffectiveMemPolicy(&text);
  return std::string(arena::TextView(text));
}

uint32_t OneCpu() { return GetAffinity(0)->Ids().front(); }

// ---- Affinity and node ----

TEST(SetupTest, NothingAskedForChangesNothing) {
  InThread([] {
    const std::string policy = Policy();
    const CpuSet cpus = *GetAffinity(0);
    EXPECT_TRUE(Apply("").ok());
    EXPECT_TRUE(Apply("sched_policy { normal {} } mem_policy { default_policy {} }").ok());
    EXPECT_EQ(Policy(), policy);
    EXPECT_EQ(MemPolicy(), "");
    EXPECT_EQ(*GetAffinity(0), cpus);
  });
}

TEST(SetupTest, AffinityPinsTheThreadAndShowsInTheEffectiveMask) {
  InThread([] {
    CpuSet one;
    one.Add(OneCpu());
    const v1::GroupSpec group;
    EXPECT_TRUE(Apply({.group = &group, .cpus = &one}).ok());
    uint64_t words[(arena::kMaxCpuId + 1) / 64];
    ReadEffectiveCpus(words);
    EXPECT_EQ(words[0], one.words()[0]);
  });
}

TEST(SetupTest, AFailedStepIsNamedAndTheOthersGoOn) {
  InThread([] {
    CpuSet absent;
    absent.Add(8'000);
    const v1::GroupSpec group = Group("nice: 3 comm: 'named'");
    const Outcome outcome = Apply({.group = &group, .cpus = &absent});
    EXPECT_THAT(outcome.Error(arena::kSetAffinity), HasSubstr("EINVAL"));
    EXPECT_EQ(getpriority(PRIO_PROCESS, 0), 3);
    char name[16] = {};
    prctl(PR_GET_NAME, name);
    EXPECT_STREQ(name, "named");
  });
}

TEST(SetupTest, AnErrorOfAnEarlierSetupIsForgotten) {
  InThread([] {
    CpuSet absent;
    absent.Add(8'000);
    CpuSet one;
    one.Add(OneCpu());
    const v1::GroupSpec group;
    Outcome outcome = Apply({.group = &group, .cpus = &absent});
    EXPECT_FALSE(outcome.ok());
    RunSetup({.group = &group, .cpus = &one}, outcome.errors);
    EXPECT_TRUE(outcome.ok());
  });
}

class NodeTest : public testing::Test {
 protected:
  NodeTest() : root_("/tmp/nodes-XXXXXX") { EXPECT_NE(mkdtemp(root_.data()), nullptr); }
  ~NodeTest() override {
    for (const std::string& node : nodes_) {
      unlink((root_ + node + "/cpulist").c_str());
      rmdir((root_ + node).c_str());
    }
    rmdir(root_.c_str());
  }
  void MakeNode(int number, const std::string& cpulist) {
    nodes_.push_back("/node" + std::to_string(number));
    mkdir((root_ + nodes_.back()).c_str(), 0700);
    std::ofstream(root_ + nodes_.back() + "/cpulist") << cpulist << "\n";
  }
  std::string PinError(uint32_t node) {
    v1::GroupSpec group;
    group.set_numa_node(node);
    return Apply({.group = &group, .cpus = &own_, .node_root = root_}).Error(arena::kSetNode);
  }

  std::string root_;
  std::vector<std::string> nodes_;
  CpuSet own_ = *GetAffinity(0);
};

TEST_F(NodeTest, ANodeOverridesTheAffinity) {
  MakeNode(3, std::to_string(OneCpu()));
  InThread([this] {
    EXPECT_EQ(PinError(3), "");
    EXPECT_EQ(GetAffinity(0)->ToString(), std::to_string(OneCpu()));
  });
}

TEST_F(NodeTest, ANodeWithoutCpusOrThatIsAbsentIsAnError) {
  MakeNode(1, "");
  InThread([this] {
    EXPECT_THAT(PinError(1), HasSubstr("lists no CPU"));
    EXPECT_THAT(PinError(2), HasSubstr("ENOENT"));
    EXPECT_EQ(*GetAffinity(0), own_);
  });
}

// ---- Policies ----

TEST(PolicyTest, EveryClassIsApplied) {
  const std::pair<const char*, const char*> cases[] = {
      {"batch {}", "SCHED_BATCH nice 5"},
      {"idle {}", "SCHED_IDLE nice 5"},
      {"fifo { priority: 7 }", "SCHED_FIFO 7"},
      {"round_robin { priority: 8 }", "SCHED_RR 8"},
      {"deadline { runtime { nanos: 1000000 } deadline { nanos: 50000000 } period { nanos: 100000000 } }",
       "SCHED_DEADLINE 1000000/50000000/100000000"},
      {"deadline { runtime { nanos: 1000000 } deadline { nanos: 50000000 } }",
       "SCHED_DEADLINE 1000000/50000000/50000000"},
  };
  for (const auto& [spec, effective] : cases) {
    InThread([spec = spec, effective = effective] {
      const Outcome outcome = Apply(std::string("nice: 5 sched_policy { ") + spec + " }");
      EXPECT_TRUE(outcome.ok()) << outcome.Error(arena::kSetPolicy);
      EXPECT_EQ(Policy(), effective);
    });
  }
}

TEST(PolicyTest, AClassKeepsTheNiceThatTheThreadHas) {
  InThread([] {
    ASSERT_EQ(setpriority(PRIO_PROCESS, 0, 4), 0);
    EXPECT_TRUE(Apply("sched_policy { batch {} }").ok());
    EXPECT_EQ(Policy(), "SCHED_BATCH nice 4");
  });
}

TEST(PolicyTest, APriorityAboveTheLimitIsLoweredToItAndSaysSo) {
  InThread([] {
    const v1::GroupSpec group = Group("sched_policy { fifo { priority: 99 } }");
    const Outcome outcome = Apply({.group = &group, .max_rt_priority = 42});
    EXPECT_THAT(outcome.Error(arena::kSetPolicy),
                HasSubstr("priority 99 is above the limit for workers; running at 42"));
    EXPECT_EQ(Policy(), "SCHED_FIFO 42");
  });
}

TEST(PolicyTest, AnUnknownClassOfTheKernelIsASoftError) {
  InThread([] {
    const Outcome outcome = Apply("sched_policy { ext {} }");
    if (outcome.ok()) {
      EXPECT_THAT(Policy(), StartsWith("SCHED_EXT"));
    } else {
      EXPECT_THAT(outcome.Error(arena::kSetPolicy), StartsWith("sched_setattr to SCHED_EXT: E"));
    }
  });
}

TEST(PolicyTest, AnImpossibleDeadlineIsNamed) {
  InThread([] {
    const Outcome outcome = Apply("sched_policy { deadline { runtime { nanos: 10 } deadline { nanos: 50 } } }");
    EXPECT_THAT(outcome.Error(arena::kSetPolicy), StartsWith("sched_setattr to SCHED_DEADLINE: EINVAL"));
  });
}

// ---- Memory ----

TEST(MemPolicyTest, PoliciesAreApplied) {
  const std::pair<const char*, const char*> cases[] = {
      {"mem_policy { bind { nodes: '0' } }", "bind:0"},
      {"mem_policy { preferred { node: 0 } }", "preferred:0"},
      {"mem_policy { interleave { nodes: '0' } }", "interleave:0"},
      {"mem_policy { local {} }", "local"},
      {"mem_policy { preferred_many { nodes: '0' } }", "preferred-many:0"},
      {"mem_policy { bind { nodes: '0' } } mpol_flags: STATIC_NODES", "bind=static:0"},
  };
  for (const auto& [spec, effective] : cases) {
    InThread([spec = spec, effective = effective] {
      const Outcome outcome = Apply(spec);
      EXPECT_TRUE(outcome.ok()) << outcome.Error(arena::kSetMemPolicy);
      EXPECT_EQ(MemPolicy(), effective);
    });
  }
}

TEST(MemPolicyTest, ANodeThatIsAbsentIsASoftError) {
  InThread([] {
    EXPECT_THAT(Apply("mem_policy { bind { nodes: '63' } }").Error(arena::kSetMemPolicy),
                StartsWith("set_mempolicy to MPOL_BIND of nodes 63: EINVAL"));
    EXPECT_EQ(MemPolicy(), "");
  });
}

// ---- Credentials ----

TEST(CredentialsTest, OnlyTheThreadChanges) {
  InThread([] {
    EXPECT_TRUE(Apply("uid: 65534 gid: 65533").ok());
    EXPECT_EQ(syscall(SYS_getuid), 65534);
    EXPECT_EQ(syscall(SYS_getegid), 65533);
  });
  EXPECT_EQ(getuid(), 0u);
  EXPECT_EQ(getgid(), 0u);
}

TEST(CredentialsTest, PrivilegedStepsComeBeforeTheChangeAndHoldInASecondSetup) {
  InThread([] {
    const v1::GroupSpec group = Group("sched_policy { fifo { priority: 5 } } nice: -5 uid: 65534");
    Outcome outcome = Apply({.group = &group});
    EXPECT_TRUE(outcome.ok());
    RunSetup({.group = &group}, outcome.errors);
    EXPECT_TRUE(outcome.ok()) << outcome.Error(arena::kSetPolicy) << outcome.Error(arena::kSetNice);
    EXPECT_EQ(Policy(), "SCHED_FIFO 5");
  });
}

TEST(CredentialsTest, TheDeathSignalIsArmedAgain) {
  InThread([] {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    EXPECT_TRUE(Apply("uid: 65534").ok());
    int signal_number = 0;
    prctl(PR_GET_PDEATHSIG, &signal_number);
    EXPECT_EQ(signal_number, SIGKILL);
  });
}

}  // namespace
}  // namespace muster
