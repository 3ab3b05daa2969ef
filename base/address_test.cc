#include "base/address.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"

namespace muster {
namespace {

TEST(AddressTest, EveryFormRoundTrips) {
  for (const char* text :
       {"unix:///run/muster.sock", "tcp://127.0.0.1:7070", "tcp://[::1]:0", "tcp://localhost:65535", "vsock://3:7070",
        "vsock://any:0", "vsock+unix:///run/vm/v.sock:5000", "vsock+unix:///odd:name:1"}) {
    const absl::StatusOr<Address> address = ParseAddress(text);
    ASSERT_TRUE(address.ok()) << address.status();
    EXPECT_EQ(FormatAddress(*address), text);
  }
}

TEST(AddressTest, Ipv6HostLosesItsBrackets) {
  EXPECT_EQ(std::get<TcpAddress>(*ParseAddress("tcp://[::1]:9")).host, "::1");
}

// The text, and a piece of the advice that the error gives.
struct BadCase {
  const char* text;
  const char* advice;
};

class BadAddressTest : public testing::TestWithParam<BadCase> {};

TEST_P(BadAddressTest, IsRefusedAndTheErrorNamesTheFix) {
  const absl::Status status = ParseAddress(GetParam().text).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(status.message(), GetParam().advice)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), GetParam().text)) << status;
}

INSTANTIATE_TEST_SUITE_P(
    All, BadAddressTest,
    testing::Values(BadCase{"", "write unix:///path"}, BadCase{"127.0.0.1:7070", "write unix:///path"},
                    BadCase{"unix://run/x", "three slashes"}, BadCase{"unix://", "three slashes"},
                    BadCase{"tcp://127.0.0.1", "port is missing"}, BadCase{"tcp://:7070", "host is missing"},
                    BadCase{"tcp://::1:7070", "brackets"}, BadCase{"tcp://h:65536", "0 to 65535"},
                    BadCase{"tcp://h:-1", "not a number"}, BadCase{"tcp://h:", "not a number"},
                    BadCase{"vsock://x:1", "not a number"}, BadCase{"vsock://4294967295:1", "not a number"},
                    BadCase{"vsock://3", "port is missing"}, BadCase{"vsock+unix://v.sock:1", "three slashes"},
                    BadCase{"vsock+unix:///v.sock", "port is missing"}));

TEST(AddressTest, APathLongerThanASocketsIsRefused) {
  EXPECT_TRUE(ParseAddress("unix:///" + std::string(106, 'x')).ok());
  const absl::Status status = ParseAddress("unix:///" + std::string(107, 'x')).status();
  EXPECT_TRUE(absl::StrContains(status.message(), "choose a shorter one")) << status;
}

}  // namespace
}  // namespace muster
