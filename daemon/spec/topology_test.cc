#include "daemon/spec/topology.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "daemon/spec/fake_sysfs.h"

namespace muster {
namespace {

std::vector<std::string> Texts(const std::vector<CpuSet>& sets) {
  std::vector<std::string> texts;
  for (const CpuSet& set : sets) texts.push_back(set.ToString());
  return texts;
}

using Strings = std::vector<std::string>;

// Two sockets, two cores each, two threads each; thread siblings are n and n + 4.
void TwoSocketsWithSmt(FakeSysfs* sysfs) {
  sysfs->Online("0-7");
  for (uint32_t cpu = 0; cpu < 8; ++cpu) {
    sysfs->Core(cpu, absl::StrCat(cpu % 4, ",", cpu % 4 + 4));
    sysfs->Cache(cpu, 0, 1, absl::StrCat(cpu % 4, ",", cpu % 4 + 4));
    sysfs->Cache(cpu, 3, 3, cpu % 4 < 2 ? "0-1,4-5" : "2-3,6-7");
  }
  sysfs->Node(0, "0-1,4-5");
  sysfs->Node(1, "2-3,6-7");
  sysfs->OnlineNodes("0-1");
}

TEST(Topology, TwoSocketsWithThreads) {
  FakeSysfs sysfs;
  TwoSocketsWithSmt(&sysfs);
  const auto topology = ReadTopology(sysfs.root());
  ASSERT_TRUE(topology.ok()) << topology.status();
  EXPECT_EQ(topology->online.ToString(), "0-7");
  EXPECT_EQ(Texts(topology->cores), (Strings{"0,4", "1,5", "2,6", "3,7"}));
  EXPECT_EQ(Texts(topology->llcs), (Strings{"0-1,4-5", "2-3,6-7"}));
  ASSERT_EQ(topology->nodes.size(), 2u);
  EXPECT_EQ(topology->nodes[1].cpus.ToString(), "2-3,6-7");
}

TEST(Topology, OfflineCpusAppearNowhere) {
  FakeSysfs sysfs;
  TwoSocketsWithSmt(&sysfs);
  sysfs.Online("0-4,6");
  const auto topology = ReadTopology(sysfs.root());
  ASSERT_TRUE(topology.ok());
  EXPECT_EQ(Texts(topology->cores), (Strings{"0,4", "1", "2,6", "3"}));
  EXPECT_EQ(Texts(topology->llcs), (Strings{"0-1,4", "2-3,6"}));
  EXPECT_EQ(topology->nodes[1].cpus.ToString(), "2-3,6");
}

TEST(Topology, BigAndLittleClustersAreTheirOwnCaches) {
  FakeSysfs sysfs;
  sysfs.Online("0-5");
  for (uint32_t cpu = 0; cpu < 6; ++cpu) {
    sysfs.Core(cpu, absl::StrCat(cpu));
    sysfs.Cache(cpu, 0, 1, absl::StrCat(cpu));
    sysfs.Cache(cpu, 2, 2, cpu < 4 ? "0-3" : "4-5");
    sysfs.Write(absl::StrCat("devices/system/cpu/cpu", cpu, "/cpu_capacity"), cpu < 4 ? "446" : "1024");
  }
  const auto topology = ReadTopology(sysfs.root());
  ASSERT_TRUE(topology.ok());
  EXPECT_EQ(Texts(topology->llcs), (Strings{"0-3", "4-5"}));
  EXPECT_EQ(topology->cores.size(), 6u);
}

TEST(Topology, ANodeWithoutCpusHasAnEmptySet) {
  FakeSysfs sysfs;
  TwoSocketsWithSmt(&sysfs);
  sysfs.Node(2, "");
  sysfs.OnlineNodes("0-2");
  const auto topology = ReadTopology(sysfs.root());
  ASSERT_TRUE(topology.ok());
  ASSERT_EQ(topology->nodes.size(), 3u);
  EXPECT_EQ(topology->nodes[2].id, 2u);
  EXPECT_TRUE(topology->nodes[2].cpus.empty());
}

TEST(Topology, AnOfflineNodeIsLeftOut) {
  FakeSysfs sysfs;
  TwoSocketsWithSmt(&sysfs);
  sysfs.OnlineNodes("1");
  const auto topology = ReadTopology(sysfs.root());
  ASSERT_TRUE(topology.ok());
  ASSERT_EQ(topology->nodes.size(), 1u);
  EXPECT_EQ(topology->nodes[0].id, 1u);
}

TEST(Topology, WithoutCacheFilesThePackageStandsIn) {
  FakeSysfs sysfs;
  sysfs.Online("0-3");
  for (uint32_t cpu = 0; cpu < 4; ++cpu) sysfs.Package(cpu, cpu < 2 ? "0-1" : "2-3");
  const auto topology = ReadTopology(sysfs.root());
  ASSERT_TRUE(topology.ok());
  EXPECT_EQ(Texts(topology->llcs), (Strings{"0-1", "2-3"}));
}

TEST(Topology, CpusWithoutAnyInformationAreOneGroupAndLeaveTheOthersAlone) {
  FakeSysfs sysfs;
  sysfs.Online("0-3");
  sysfs.Cache(1, 3, 3, "1,3");
  const auto topology = ReadTopology(sysfs.root());
  ASSERT_TRUE(topology.ok());
  EXPECT_EQ(Texts(topology->llcs), (Strings{"0,2", "1,3"}));
  EXPECT_EQ(Texts(topology->cores), (Strings{"0", "1", "2", "3"}));
  ASSERT_EQ(topology->nodes.size(), 1u) << "no node folder: one node with all CPUs";
}

TEST(Topology, GarbageInOneFileIsLikeItsAbsence) {
  FakeSysfs sysfs;
  sysfs.Online("0-1");
  sysfs.Core(0, "zero");
  sysfs.Cache(0, 3, 3, "0-");
  const auto topology = ReadTopology(sysfs.root());
  ASSERT_TRUE(topology.ok());
  EXPECT_EQ(Texts(topology->cores), (Strings{"0", "1"}));
}

TEST(Topology, FiveHundredAndTwelveCpus) {
  FakeSysfs sysfs;
  sysfs.Online("0-511");
  for (uint32_t cpu = 0; cpu < 512; ++cpu) {
    sysfs.Core(cpu, absl::StrCat(cpu % 256, ",", cpu % 256 + 256));
    const uint32_t llc = cpu % 256 / 8 * 8;
    sysfs.Cache(cpu, 3, 3, absl::StrCat(llc, "-", llc + 7, ",", llc + 256, "-", llc + 263));
  }
  const auto topology = ReadTopology(sysfs.root());
  ASSERT_TRUE(topology.ok());
  EXPECT_EQ(topology->cores.size(), 256u);
  ASSERT_EQ(topology->llcs.size(), 32u);
  EXPECT_EQ(topology->llcs.back().ToString(), "248-255,504-511");
}

TEST(Topology, ThisMachineCanBeRead) {
  const auto topology = ReadTopology("/sys");
  ASSERT_TRUE(topology.ok()) << topology.status();
  EXPECT_FALSE(topology->online.empty());
  EXPECT_FALSE(topology->cores.empty());
}

TEST(Topology, AMissingTreeIsAnErrorThatNamesTheFile) {
  const auto topology = ReadTopology("/nonexistent");
  ASSERT_FALSE(topology.ok());
  EXPECT_NE(topology.status().message().find("/nonexistent/devices/system/cpu/online"), std::string::npos);
}

}  // namespace
}  // namespace muster
