#include "daemon/init/pid_one.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>

#include "client/client.h"
#include "daemon/init/namespaced.h"

namespace muster::init {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(WithoutStrayWordsTest, FlagsAndTheirValuesStay) {
  EXPECT_THAT(WithoutStrayWords({"musterd", "--listen", "vsock://any:1", "--allow-exec"}),
              ElementsAre("musterd", "--listen", "vsock://any:1", "--allow-exec"));
}

TEST(WithoutStrayWordsTest, WhatTheKernelDidNotKnowGoes) {
  EXPECT_THAT(WithoutStrayWords({"musterd", "splash", "single", "--allow-exec", "word"}),
              ElementsAre("musterd", "--allow-exec", "word"));
  EXPECT_THAT(WithoutStrayWords({"musterd", "splash"}), ElementsAre("musterd"));
  EXPECT_THAT(WithoutStrayWords({"musterd"}), ElementsAre("musterd"));
}

// musterd as in a container.
class ContainerTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(mkdtemp(directory_.data()), nullptr); }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string address() const { return "unix://" + directory_ + "/musterd.sock"; }

  int Become(const std::string& flag) const {
    const std::string listen = "--listen=" + address();
    execl("daemon/musterd", "musterd", listen.c_str(), "--worker-binary=worker/muster-worker", flag.c_str(), nullptr);
    return 20;
  }

  std::string directory_ = "/tmp/pid1XXXXXX";
};

TEST_F(ContainerTest, ServesAndEndsInOrderWithItsExitCode) {
  Namespaced musterd([&] { return Become("--max-pools=77"); });
  ASSERT_TRUE(musterd.WaitFor("muster-init: daemon-ready")) << musterd.output();
  {
    absl::StatusOr<Client> client = Client::Connect(address());
    ASSERT_TRUE(client.ok()) << client.status();
    const auto info = client->ServerInfo();
    ASSERT_TRUE(info.ok()) << info.status();
    EXPECT_THAT(info->ShortDebugString(), HasSubstr("77"));
  }
  musterd.Signal(SIGTERM);
  const absl::StatusOr<ProcessEnd> end = musterd.Finish();
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->exit_code, 0) << musterd.output();
  EXPECT_THAT(musterd.output(), AllOf(HasSubstr("ending: signal 15 from pid 1"), HasSubstr("daemon-ended exit=0")));
  // The machine is another's.
  EXPECT_THAT(musterd.output(), AllOf(Not(HasSubstr("machine-ready")), Not(HasSubstr("power-off"))));
}

TEST_F(ContainerTest, WrongFlagIsItsExitCodeToo) {
  Namespaced musterd([&] { return Become("--max-pools=0"); });
  const absl::StatusOr<ProcessEnd> end = musterd.Finish();
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->exit_code, 64) << musterd.output();
  EXPECT_THAT(musterd.output(), HasSubstr("max_pools"));
}

}  // namespace
}  // namespace muster::init
