#include "tools/vm/qemu/shape.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_join.h"

namespace muster::vm {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

absl::StatusOr<Shape> Parse(const std::vector<std::string>& args) {
  return ShapeFrom(*Flags::Parse(args, ShapeFlags()));
}

std::string Arguments(const std::vector<std::string>& args) { return absl::StrJoin(ShapeArguments(*Parse(args)), " "); }

TEST(ShapeTest, FourCpusOnTwoNodesHaveASocketAndHalfTheMemoryEach) {
  const std::string line = Arguments({"--cpus=4", "--numa=2", "--memory=768M"});
  EXPECT_THAT(line, HasSubstr("-smp 4,sockets=2,cores=2,threads=1 -m 768M"));
  EXPECT_THAT(line, HasSubstr("memory-backend-memfd,id=m1,size=384M,share=on"));
  EXPECT_THAT(line, HasSubstr("node,nodeid=0,cpus=0-1,memdev=m0"));
  EXPECT_THAT(line, HasSubstr("node,nodeid=1,cpus=2-3,memdev=m1"));
  EXPECT_THAT(line, HasSubstr("dist,src=0,dst=1,val=20"));
}

TEST(ShapeTest, OneNodeNeedsNoNumaAndStillSharesItsMemory) {
  const std::string line = Arguments({"--cpus=2"});
  EXPECT_THAT(line, Not(HasSubstr("-numa")));
  EXPECT_THAT(line, HasSubstr("memory-backend-memfd,id=m0,size=512M,share=on -machine memory-backend=m0"));
}

TEST(ShapeTest, SmtAndCachesAreSocketsAndThreads) {
  EXPECT_THAT(Arguments({"--cpus=8", "--smt", "--llcs=2"}), HasSubstr("-smp 8,sockets=2,cores=2,threads=2"));
  EXPECT_EQ(Describe(*Parse({"--cpus=8", "--smt", "--llcs=2"})), "8 CPUs (SMT), 1 node, 2 LLCs, 512 MiB");
}

TEST(ShapeTest, WhatDoesNotDivideIsRefused) {
  EXPECT_THAT(std::string(Parse({"--cpus=3", "--numa=2"}).status().message()), HasSubstr("3 CPUs cannot be divided"));
  EXPECT_THAT(std::string(Parse({"--cpus=6", "--llcs=3", "--numa=2"}).status().message()),
              HasSubstr("3 LLCs cannot be divided"));
  EXPECT_THAT(std::string(Parse({"--memory=100"}).status().message()), HasSubstr("at least 256"));
  EXPECT_EQ(Parse({"--cpus=0"}).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(ShapeTest, MemoryHasUnits) {
  EXPECT_EQ(*ParseMemory("1G"), 1024u);
  EXPECT_EQ(*ParseMemory("768m"), 768u);
  EXPECT_EQ(*ParseMemory("300"), 300u);
  for (const char* bad : {"", "G", "1T", "-1", "1.5G"}) EXPECT_FALSE(ParseMemory(bad).ok()) << bad;
}

}  // namespace
}  // namespace muster::vm
