#include "client/connection.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "absl/strings/match.h"
#include "base/listener.h"
#include "base/test_certificates.h"
#include "tests/support/fake_muster.h"
#include "tests/support/hybrid_device.h"

namespace muster {
namespace {

using v1::Muster;

Deadline Soon() { return Deadline::After(absl::Seconds(10)); }

// Finds silence soon.
const ConnectionOptions kQuick = {.keepalive_time = absl::Milliseconds(50),
                                  .keepalive_timeout = absl::Milliseconds(50)};

class ConnectionTest : public testing::Test {
 protected:
  std::shared_ptr<Connection> Open(const ConnectionOptions& options = ConnectionOptions()) {
    absl::StatusOr<std::shared_ptr<Connection>> connection =
        Connection::Open(*ParseAddress(fake_.address()), options, Soon());
    EXPECT_TRUE(connection.ok()) << connection.status();
    return *connection;
  }

  static absl::Status Ask(Connection& connection, const Deadline& deadline = Soon()) {
    return connection.Call(&Muster::Stub::GetServerInfo, v1::GetServerInfoRequest(), deadline, "asking the server")
        .status();
  }

  FakeMuster fake_;
};

TEST_F(ConnectionTest, CallsAreAnswered) {
  const auto connection = Open();
  const auto info =
      connection->Call(&Muster::Stub::GetServerInfo, v1::GetServerInfoRequest(), Soon(), "asking the server");
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->version(), "fake");
}

TEST_F(ConnectionTest, BrokenConnectionIsDialledAgainUnseen) {
  const auto connection = Open();
  ASSERT_TRUE(Ask(*connection).ok());
  fake_.BreakConnections();
  EXPECT_TRUE(Ask(*connection).ok());
}

TEST_F(ConnectionTest, RetryAfterALostAnswerCarriesTheSameRequest) {
  const auto connection = Open();
  fake_.BreakInsteadOfAnswering("Spawn");
  v1::SpawnRequest request;
  request.set_request_id("once");
  const auto response = connection->Call(&Muster::Stub::Spawn, request, Soon(), "spawn");
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->pool_id(), "p1");
  EXPECT_EQ(fake_.Count("Spawn"), 2);
  EXPECT_EQ(fake_.Pools().size(), 1u);
}

TEST_F(ConnectionTest, DaemonThatHangsUpEachTimeIsGivenUpSoon) {
  const auto connection = Open();
  fake_.RefuseConnections(true);
  fake_.BreakConnections();
  const absl::Status status = Ask(*connection);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_TRUE(absl::StartsWith(status.message(), "asking the server: ")) << status;
}

TEST_F(ConnectionTest, PeerThatIsSilentForAWhileIsReachedWhenItGoesOn) {
  const auto connection = Open(kQuick);
  fake_.IgnoreConnections(2 * Redials::kMaxHangUps);
  fake_.BreakConnections();
  EXPECT_EQ(Ask(*connection), absl::OkStatus());
}

TEST_F(ConnectionTest, PeerThatStaysSilentIsGivenUpBeforeTheDeadline) {
  ConnectionOptions options = kQuick;
  options.redial_for = absl::Milliseconds(500);
  const auto connection = Open(options);
  fake_.IgnoreConnections(1'000'000);
  fake_.BreakConnections();
  EXPECT_EQ(Ask(*connection, Deadline::After(absl::Hours(1))).code(), absl::StatusCode::kUnavailable);
}

TEST_F(ConnectionTest, GuestThatDoesNotTakeAnotherConnectionIsGivenUpBeforeTheDeadline) {
  HybridDevice device;
  ConnectionOptions options;
  options.redial_for = absl::Milliseconds(100);
  const auto connection = device.OpenAndBreak(options);
  const absl::Status status = Ask(*connection, Deadline::After(absl::Hours(1)));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "redial_for is 100ms")) << status;
}

TEST_F(ConnectionTest, GuestThatDoesNotTakeAnotherConnectionWithinTheDeadline) {
  HybridDevice device;
  const auto connection = device.OpenAndBreak(ConnectionOptions());
  const absl::Status status = Ask(*connection, Deadline::After(absl::Milliseconds(100)));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
}

TEST_F(ConnectionTest, DeadlineAmongSilentConnectionsSaysWhatCameBefore) {
  const auto connection = Open(kQuick);
  fake_.IgnoreConnections(1'000'000);
  fake_.BreakConnections();
  const absl::Status status = Ask(*connection, Deadline::After(absl::Seconds(1)));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
  EXPECT_TRUE(absl::StartsWith(status.message(), "asking the server (dialling again after \"")) << status;
}

TEST_F(ConnectionTest, RefusalByTheDaemonIsNotTriedAgain) {
  const auto connection = Open();
  fake_.FailNext("GetServerInfo", grpc::Status(grpc::StatusCode::INTERNAL, "no"));
  EXPECT_EQ(Ask(*connection), absl::InternalError("asking the server: no"));
  EXPECT_EQ(fake_.Count("GetServerInfo"), 1);
}

TEST_F(ConnectionTest, NewerChannelSurvivesAReportAboutAnOlderOne) {
  const auto connection = Open();
  const auto old_stub = *connection->GetStub(Soon());
  connection->ReportBroken(old_stub);
  const auto new_stub = *connection->GetStub(Soon());
  ASSERT_NE(old_stub, new_stub);
  connection->ReportBroken(old_stub);
  EXPECT_EQ(*connection->GetStub(Soon()), new_stub);
}

// The same promises over TLS.
class TlsConnectionTest : public testing::Test {
 protected:
  absl::StatusOr<std::shared_ptr<Connection>> Open(const Address& address) {
    ConnectionOptions options;
    options.tls = TlsOptions{authority_.Issue("client"), ""};
    return Connection::Open(address, options, Soon());
  }

  static absl::Status Ask(Connection& connection) {
    return connection.Call(&Muster::Stub::GetServerInfo, v1::GetServerInfoRequest(), Soon(), "asking").status();
  }

  TestCertificates authority_;
  FakeMuster fake_{TcpAddress{"127.0.0.1", 0}, *ReadTlsFiles(authority_.Issue("daemon", "IP:127.0.0.1"))};
};

TEST_F(TlsConnectionTest, BrokenConnectionIsDialledAgainUnseen) {
  const auto connection = Open(*ParseAddress(fake_.address()));
  ASSERT_TRUE(connection.ok()) << connection.status();
  ASSERT_TRUE(Ask(**connection).ok());
  fake_.BreakConnections();
  EXPECT_EQ(Ask(**connection), absl::OkStatus());
}

TEST_F(TlsConnectionTest, RetryAfterALostAnswerCarriesTheSameRequest) {
  const auto connection = Open(*ParseAddress(fake_.address()));
  fake_.BreakInsteadOfAnswering("Spawn");
  v1::SpawnRequest request;
  request.set_request_id("once");
  const auto response = (*connection)->Call(&Muster::Stub::Spawn, request, Soon(), "spawn");
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(fake_.Count("Spawn"), 2);
  EXPECT_EQ(fake_.Pools().size(), 1u);
}

TEST_F(TlsConnectionTest, BreakThatIsNotMendedSaysAtWhichStep) {
  const auto connection = Open(*ParseAddress(fake_.address()));
  fake_.RefuseConnections(true);
  fake_.BreakConnections();
  const absl::Status status = Ask(**connection);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(status.message(), "asking")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "TLS with " + fake_.address())) << status;
}

TEST_F(TlsConnectionTest, PlainClientIsToldThatTheDaemonMaySpeakTls) {
  const auto connection = Connection::Open(*ParseAddress(fake_.address()), ConnectionOptions(), Soon());
  ASSERT_TRUE(connection.ok()) << connection.status();
  const absl::Status status = Ask(**connection);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(status.message(), "does it speak TLS")) << status;
  EXPECT_EQ(fake_.Calls(), std::vector<std::string>());
}

TEST_F(TlsConnectionTest, OtherTransportsHaveNoTls) {
  EXPECT_EQ(Open(UnixAddress{"/nowhere/s"}).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(ConnectionFailureTest, NobodyListeningSaysWhichAddress) {
  const auto status = Connection::Open(UnixAddress{"/nowhere/s"}, ConnectionOptions(), Soon()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(status.message(), "connect to unix:///nowhere/s")) << status;
}

TEST(ConnectionFailureTest, AGuestIsDialledAgainUntilTheDeadline) {
  const auto status = Connection::Open(HybridVsockAddress{"/nowhere/v.sock", 7070}, ConnectionOptions(),
                                       Deadline::After(absl::Milliseconds(200)))
                          .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(status.message(), "/nowhere/v.sock")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "(tried ")) << status;
}

TEST(ConnectionFailureTest, PeerThatIsNoDaemonIsNoticedWithinTheDeadline) {
  absl::StatusOr<Listener> mute = Listener::Listen(TcpAddress{"127.0.0.1", 0});
  ASSERT_TRUE(mute.ok()) << mute.status();
  const auto connection = Connection::Open(mute->address(), ConnectionOptions(), Soon());
  ASSERT_TRUE(connection.ok()) << connection.status();
  const absl::Status status = (*connection)
                                  ->Call(&Muster::Stub::GetServerInfo, v1::GetServerInfoRequest(),
                                         Deadline::After(absl::Milliseconds(100)), "asking the server")
                                  .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
}

}  // namespace
}  // namespace muster
