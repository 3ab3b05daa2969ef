#include "base/connect_error.h"

#include <errno.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"

namespace muster {
namespace {

struct Case {
  int error_number;
  absl::StatusCode code;
  const char* text;
};

class VsockConnectErrorTest : public testing::TestWithParam<Case> {};

TEST_P(VsockConnectErrorTest, SaysWhatIsNotThere) {
  const absl::Status status = ConnectError(GetParam().error_number, VsockAddress{99, 7070});
  EXPECT_EQ(status.code(), GetParam().code) << status;
  EXPECT_TRUE(absl::StartsWith(status.message(), "connect to vsock://99:7070: ")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), GetParam().text)) << status;
}

INSTANTIATE_TEST_SUITE_P(All, VsockConnectErrorTest,
                         testing::Values(Case{ENODEV, absl::StatusCode::kUnavailable, "no such CID"},
                                         Case{EHOSTUNREACH, absl::StatusCode::kUnavailable, "no such CID"},
                                         Case{ECONNRESET, absl::StatusCode::kUnavailable, "nobody listens"},
                                         Case{ETIMEDOUT, absl::StatusCode::kDeadlineExceeded, "not up yet"}));

TEST(ConnectErrorTest, OfOtherTransportsTheErrnoSpeaksForItself) {
  EXPECT_EQ(ConnectError(ENOENT, UnixAddress{"/s"}).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ConnectError(ECONNREFUSED, TcpAddress{"127.0.0.1", 1}).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ConnectError(EAGAIN, UnixAddress{"/s"}).code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(ConnectError(EACCES, UnixAddress{"/s"}).code(), absl::StatusCode::kPermissionDenied);
  EXPECT_FALSE(absl::StrContains(ConnectError(ECONNRESET, TcpAddress{"127.0.0.1", 1}).message(), "CID"));
}

}  // namespace
}  // namespace muster
