#include <thread>
#include <vector>

#include "base/cpu_set.h"
#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"

namespace muster {
namespace {

// CPUs that a worker of this seed pins itself to.
std::vector<std::string> Walk(uint64_t seed) {
  std::vector<std::string> pins;
  std::thread([&pins, seed] {
    GroupFixture group("affinity_churn { spin_iters: 1 }", seed);
    for (int i = 0; i < 64; ++i) {
      group.RunOnce(0);
      pins.push_back(GetAffinity(0)->ToString());
    }
  }).join();
  return pins;
}

TEST(AffinityChurnTest, PinsItselfToOneCpuAtATimeAndVisitsAll) {
  const absl::StatusOr<CpuSet> before = GetAffinity(0);
  CpuSet visited;
  for (const std::string& pin : Walk(7)) {
    const absl::StatusOr<CpuSet> cpus = CpuSet::Parse(pin);
    EXPECT_EQ(cpus->Count(), 1u);
    visited = visited.Union(*cpus);
  }
  EXPECT_EQ(visited.ToString(), before->ToString());
  EXPECT_EQ(GetAffinity(0)->ToString(), before->ToString()) << "a neighbour thread stays where it was";
}

TEST(AffinityChurnTest, TheSeedFixesTheWalk) {
  EXPECT_EQ(Walk(7), Walk(7));
  EXPECT_NE(Walk(7), Walk(8));
}

}  // namespace
}  // namespace muster
