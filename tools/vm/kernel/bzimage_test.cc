#include "tools/vm/kernel/bzimage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string.h>

#include <random>

#include "absl/time/time.h"
#include "tools/vm/support/program.h"

namespace muster::vm {
namespace {

using ::testing::HasSubstr;

template <typename T>
void Put(std::string* image, size_t at, T value) {
  memcpy(image->data() + at, &value, sizeof(value));
}

// A bzImage with one setup sector, the payload 16 bytes into its protected-mode part.
std::string MakeImage(const std::string& payload) {
  std::string image(1024 + 16, '\0');
  image[0x1f1] = 1;
  memcpy(image.data() + 0x202, "HdrS", 4);
  Put<uint16_t>(&image, 0x206, 0x20f);
  Put<uint16_t>(&image, 0x20e, 0x180);
  memcpy(image.data() + 0x380, "6.9.1-test (me@here) #1", 24);
  Put<uint32_t>(&image, 0x248, 16);
  Put<uint32_t>(&image, 0x24c, payload.size());
  return image + payload;
}

std::string WithSize(std::string payload, uint32_t size) {
  payload.append(reinterpret_cast<const char*>(&size), 4);
  return payload;
}

std::string FakeElf() {
  return "\x7f"
         "ELF" +
         std::string(100000, 'k');
}

TEST(BzImageTest, PayloadReleaseAndSizeAreFound) {
  const std::string image = MakeImage(WithSize("\x28\xb5\x2f\xfd and more", 4711));
  const absl::StatusOr<BzImagePayload> payload = ParseBzImage(image);
  ASSERT_TRUE(payload.ok()) << payload.status();
  EXPECT_EQ(payload->compressed, "\x28\xb5\x2f\xfd and more");
  EXPECT_EQ(payload->decompressor, "zstd");
  EXPECT_EQ(payload->unpacked_bytes, 4711u);
  EXPECT_EQ(payload->release, "6.9.1-test");
}

class CompressedTest : public ::testing::TestWithParam<std::vector<std::string>> {};

TEST_P(CompressedTest, KernelComesOutAsItWentIn) {
  const std::string elf = FakeElf();
  const absl::StatusOr<std::string> packed = RunProgram({GetParam(), elf, absl::Seconds(30)});
  ASSERT_TRUE(packed.ok()) << packed.status();
  const std::string image = MakeImage(GetParam()[0] == "gzip" ? *packed : WithSize(*packed, elf.size()));
  const absl::StatusOr<BzImagePayload> payload = ParseBzImage(image);
  ASSERT_TRUE(payload.ok()) << payload.status();
  const absl::StatusOr<std::string> unpacked = ExtractVmlinux(*payload);
  ASSERT_TRUE(unpacked.ok()) << unpacked.status();
  EXPECT_EQ(*unpacked, elf);
}

// zstd and lz4 are packages of guest runs only; the two that every Debian has stand for all four here.
INSTANTIATE_TEST_SUITE_P(Programs, CompressedTest,
                         ::testing::Values(std::vector<std::string>{"xz", "-c"},
                                           std::vector<std::string>{"gzip", "-c"}));

TEST(BzImageTest, WrongSizeWordIsDataLoss) {
  const absl::StatusOr<std::string> packed = RunProgram({{"xz", "-c"}, FakeElf(), absl::Seconds(30)});
  const std::string image = MakeImage(WithSize(*packed, 5));
  EXPECT_EQ(ExtractVmlinux(*ParseBzImage(image)).status().code(), absl::StatusCode::kDataLoss);
}

TEST(BzImageTest, BrokenImagesAreRefusedAndNotRead) {
  EXPECT_THAT(std::string(ParseBzImage("").status().message()), HasSubstr("no setup header"));
  EXPECT_THAT(std::string(ParseBzImage(std::string(4096, 'x')).status().message()), HasSubstr("no setup header"));
  std::string image = MakeImage(WithSize("\x28\xb5\x2f\xfd", 1));
  EXPECT_THAT(std::string(ParseBzImage(image.substr(0, image.size() - 1)).status().message()),
              HasSubstr("outside the file"));
  Put<uint32_t>(&image, 0x24c, 0xffffffff);
  EXPECT_THAT(std::string(ParseBzImage(image).status().message()), HasSubstr("outside the file"));
  EXPECT_THAT(std::string(ParseBzImage(MakeImage("unknown format")).status().message()), HasSubstr("none of zstd"));
}

TEST(BzImageTest, DamagedHeadersAreReadWithoutHarm) {
  const std::string whole = MakeImage(WithSize("\x28\xb5\x2f\xfd and more", 4711));
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    std::string image = whole.substr(0, random() % (whole.size() + 1));
    for (int change = 0; change < 3 && !image.empty(); ++change)
      image[(0x1f0 + random() % 0x60) % image.size()] = random();
    ParseBzImage(image).status().IgnoreError();
    ReleaseOfVmlinux(image);
  }
}

TEST(BzImageTest, ReleaseOfAnUncompressedKernelIsInItsBanner) {
  EXPECT_EQ(ReleaseOfVmlinux("....Linux version 7.2.13+deb14-cloud-amd64 (x)"), "7.2.13+deb14-cloud-amd64");
  EXPECT_EQ(ReleaseOfVmlinux("nothing"), "");
}

}  // namespace
}  // namespace muster::vm
