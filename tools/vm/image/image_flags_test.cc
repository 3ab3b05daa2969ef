#include "tools/vm/image/image_flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::vm {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<ImageOptions> Parse(const std::vector<std::string>& more) {
  std::vector<std::string> args = {"--init=/bin/sh", "--musterd=/bin/sh", "--muster-worker=/bin/sh"};
  args.insert(args.end(), more.begin(), more.end());
  return ImageOptionsFrom(*Flags::Parse(args, ImageFlags()));
}

TEST(ImageFlagsTest, ExtraFilesAreTaken) {
  const auto options = Parse({"--add", "opt/a:/bin/a", "--add=opt/b:/bin/b"});
  ASSERT_TRUE(options.ok()) << options.status();
  ASSERT_EQ(options->extra.size(), 2u);
  EXPECT_EQ(options->extra[1].guest_path, "opt/b");
  EXPECT_EQ(options->extra[1].host_path, "/bin/b");
}

TEST(ImageFlagsTest, ExtraFileNeedsBothPaths) {
  EXPECT_THAT(std::string(Parse({"--add=opt/a"}).status().message()), HasSubstr("GUEST:HOST"));
}

TEST(ImageFlagsTest, MusterdCanBeInit) {
  const auto options = Parse({"--init=musterd"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->init, "");
  EXPECT_EQ(options->musterd, "/bin/sh");
  EXPECT_THAT(std::string(Parse({"--init=musterd", "--scheduler=fifo.bpf.o"}).status().message()),
              HasSubstr("--scheduler: muster-guest-init loads it"));
}

TEST(ImageFlagsTest, ProgramThatIsNotThereIsNamedWithItsFlag) {
  EXPECT_THAT(std::string(Parse({"--musterd=/no/musterd"}).status().message()), HasSubstr("--musterd /no/musterd"));
}

}  // namespace
}  // namespace muster::vm
