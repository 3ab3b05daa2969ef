#include "base/socket_address.h"

#include <gtest/gtest.h>

namespace muster {
namespace {

TEST(SocketAddressTest, LoopbackIsWithinEveryReach) {
  for (const char* host : {"127.0.0.1", "127.3.2.1", "localhost", "::1"}) {
    EXPECT_TRUE(ToSocketAddress(TcpAddress{host, 1}).ok()) << host;
    EXPECT_TRUE(ToSocketAddress(TcpAddress{host, 1}, TcpReach::kAnywhere).ok()) << host;
  }
}

TEST(SocketAddressTest, OtherInterfacesAreForThoseWhoAskForThem) {
  for (const char* host : {"0.0.0.0", "192.0.2.1", "::", "2001:db8::1"}) {
    EXPECT_EQ(ToSocketAddress(TcpAddress{host, 7070}).status().code(), absl::StatusCode::kPermissionDenied) << host;
    const absl::StatusOr<SocketAddress> anywhere = ToSocketAddress(TcpAddress{host, 7070}, TcpReach::kAnywhere);
    ASSERT_TRUE(anywhere.ok()) << anywhere.status();
    EXPECT_EQ(InetPort(*anywhere), 7070);
  }
}

TEST(SocketAddressTest, NamesAreNotLookedUp) {
  EXPECT_EQ(ToSocketAddress(TcpAddress{"example.org", 1}, TcpReach::kAnywhere).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace muster
