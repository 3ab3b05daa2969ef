#include "daemon/poolhost/worker_binary_launcher.h"

#include <gtest/gtest.h>

namespace muster {
namespace {

using Entries = std::vector<std::string>;

TEST(WorkerEnvironment, OnlyTheDaemonsFlagsDecideAboutIo) {
  const Entries inherited = {"PATH=/bin", "MUSTER_ALLOW_BLOCK_DEVICES=1", "MUSTER_IO_DIR=/elsewhere",
                             "MUSTER_TARGET=x"};
  EXPECT_EQ(WorkerEnvironment({}, inherited), (Entries{"PATH=/bin", "MUSTER_TARGET=x", "MUSTER_IO_DIR="}));
  EXPECT_EQ(WorkerEnvironment({.directory = "/data", .block_devices = true}, inherited),
            (Entries{"PATH=/bin", "MUSTER_TARGET=x", "MUSTER_IO_DIR=/data", "MUSTER_ALLOW_BLOCK_DEVICES=1"}));
}

}  // namespace
}  // namespace muster
