#include "tools/vm/init/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::guest {
namespace {

using ::testing::ElementsAre;

TEST(InitOptionsTest, RelayAndDaemonArgumentsAreRead) {
  const Options options = ParseOptions({"--relay=7070", "--daemon=--listen=vsock://any:7070", "--daemon=-v", "huh"});
  EXPECT_EQ(options.relay_port, 7070);
  EXPECT_THAT(options.daemon_arguments, ElementsAre("--listen=vsock://any:7070", "-v"));
  EXPECT_THAT(options.unknown, ElementsAre("huh"));
}

TEST(InitOptionsTest, WithoutARelayThereIsNone) { EXPECT_EQ(ParseOptions({}).relay_port, 0); }

}  // namespace
}  // namespace muster::guest
