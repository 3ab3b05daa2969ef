#include "worker/host/pool_host.h"

#include <signal.h>

#include "gtest/gtest.h"
#include "worker/host/testing/pool_host_test_base.h"

namespace muster::host {
namespace {

using arena::Exit;
using arena::State;

class PoolHostTest : public PoolHostTestBase {};

TEST_F(PoolHostTest, WorkersRunFromStartToStopAndExitWell) {
  HostDriver host;
  const control::Reply spawned = host.Spawn("num_workers: 3");
  ASSERT_EQ(spawned.code(), 0) << spawned.message();
  for (uint32_t worker = 0; worker < 3; ++worker) {
    EXPECT_EQ(host.StateOf(worker), State::kReady);
    EXPECT_GT(host.PidOf(worker), 0);
    EXPECT_EQ(host.IterationsOf(worker), 0u);
  }
  host.Start();
  ASSERT_TRUE(Eventually([&] { return host.IterationsOf(0) > 0 && host.IterationsOf(1) > 0 && host.IterationsOf(2) > 0; }));
  EXPECT_EQ(host.Stop().code(), 0);
  for (uint32_t worker = 0; worker < 3; ++worker) {
    EXPECT_EQ(host.ExitOf(worker), Exit::kExited);
    EXPECT_EQ(host.ExitValueOf(worker), 0);
    EXPECT_EQ(host.StateOf(worker), State::kFinished);
  }
  EXPECT_EQ(host.Kill().code(), 0);
  EXPECT_EQ(host.AwaitEnd(), 0);
}

TEST_F(PoolHostTest, EndOfFileSweepsEverything) {
  HostDriver host;
  ASSERT_EQ(host.Spawn("num_workers: 4").code(), 0);
  host.Start();
  ASSERT_TRUE(host.AwaitAllRunning());
  host.HangUp();
  EXPECT_EQ(host.AwaitEnd(), 0);
}

TEST_F(PoolHostTest, TermSweepsEverything) {
  HostDriver host;
  ASSERT_EQ(host.Spawn("num_workers: 4").code(), 0);
  kill(host.pid(), SIGTERM);
  EXPECT_EQ(host.AwaitEnd(), 0);
}

}  // namespace
}  // namespace muster::host
