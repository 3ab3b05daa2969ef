#include "worker/parts/numa_nodes.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

namespace muster {
namespace {

class NumaNodesTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = testing::TempDir() + "nodes-" + testing::UnitTest::GetInstance()->current_test_info()->name();
    ASSERT_EQ(mkdir(root_.c_str(), 0700), 0);
  }
  void Node(int id, const std::string& cpulist) {
    const std::string dir = root_ + "/node" + std::to_string(id);
    ASSERT_EQ(mkdir(dir.c_str(), 0700), 0);
    std::ofstream(dir + "/cpulist") << cpulist << "\n";
  }

  std::string root_;
};

TEST_F(NumaNodesTest, NodesWithoutCpusAreLeftOut) {
  std::ofstream(root_ + "/online") << "0,2-3\n";
  Node(0, "0-1,4");
  Node(2, "");
  Node(3, "2-3");
  const std::vector<CpuSet> nodes = CpusOfNodes(root_);
  ASSERT_EQ(nodes.size(), 2u);
  EXPECT_EQ(nodes[0].ToString(), "0-1,4");
  EXPECT_EQ(nodes[1].ToString(), "2-3");
}

TEST_F(NumaNodesTest, AMachineThatDoesNotSayHasNone) { EXPECT_TRUE(CpusOfNodes(root_).empty()); }

}  // namespace
}  // namespace muster
