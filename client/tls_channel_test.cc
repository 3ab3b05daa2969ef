#include "client/tls_channel.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "base/listener.h"
#include "base/test_certificates.h"
#include "tests/support/fake_muster.h"

namespace muster {
namespace {

Deadline Soon() { return Deadline::After(absl::Seconds(20)); }

TcpAddress AddressOf(const FakeMuster& fake) { return std::get<TcpAddress>(*ParseAddress(fake.address())); }

// A daemon and a client that trust the same authority, and another authority.
class TlsChannelTest : public testing::Test {
 protected:
  // A daemon with a certificate for `alternative_names`.
  std::unique_ptr<FakeMuster> Serve(const std::string& alternative_names,
                                    const TcpAddress& address = {"127.0.0.1", 0}) {
    return std::make_unique<FakeMuster>(address, *ReadTlsFiles(authority_.Issue("daemon", alternative_names)));
  }

  absl::Status Connect(const TcpAddress& address, const std::string& server_name = "") {
    return DialTls(address, {client_, server_name}, {}, Soon()).status();
  }

  static void ExpectError(const absl::Status& status, absl::StatusCode code, const std::string& text) {
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), text)) << status;
  }

  TestCertificates authority_;
  TestCertificates stranger_;
  TlsFiles client_ = authority_.Issue("client");
};

TEST_F(TlsChannelTest, BothSidesKnowEachOtherAndCallsGoThrough) {
  const auto fake = Serve("IP:127.0.0.1");
  const auto channel = DialTls(AddressOf(*fake), {client_, ""}, {}, Soon());
  ASSERT_TRUE(channel.ok()) << channel.status();
  grpc::ClientContext context;
  v1::GetServerInfoResponse response;
  EXPECT_TRUE(v1::Muster::NewStub(*channel)->GetServerInfo(&context, {}, &response).ok());
  EXPECT_EQ(response.version(), "fake");
}

TEST_F(TlsChannelTest, Ipv6LiteralsWork) {
  const auto fake = Serve("IP:::1", {"::1", 0});
  EXPECT_EQ(Connect(AddressOf(*fake)), absl::OkStatus());
}

TEST_F(TlsChannelTest, NameOfTheHostIsLookedUpAndChecked) {
  const auto fake = Serve("DNS:localhost");
  EXPECT_EQ(Connect({"localhost", AddressOf(*fake).port}), absl::OkStatus());
}

TEST_F(TlsChannelTest, CertificateForAnotherHostIsRefused) {
  const auto fake = Serve("DNS:localhost");
  ExpectError(Connect(AddressOf(*fake)), absl::StatusCode::kUnauthenticated,
              "the daemon's certificate does not name \"127.0.0.1\"");
}

TEST_F(TlsChannelTest, CommonNameIsNoNameOfTheHost) {
  const TlsFiles daemon = authority_.Issue("127.0.0.1");
  const FakeMuster fake(TcpAddress{"127.0.0.1", 0}, *ReadTlsFiles(daemon));
  ExpectError(Connect(AddressOf(fake)), absl::StatusCode::kUnauthenticated, "does not name \"127.0.0.1\"");
}

TEST_F(TlsChannelTest, AnotherNameMayBeAskedFor) {
  const auto fake = Serve("DNS:guest-7");
  EXPECT_EQ(Connect(AddressOf(*fake), "guest-7"), absl::OkStatus());
  ExpectError(Connect(AddressOf(*fake), "guest-8"), absl::StatusCode::kUnauthenticated, "\"guest-8\"");
}

TEST_F(TlsChannelTest, DaemonOfAnotherAuthorityIsRefused) {
  const auto fake = Serve("IP:127.0.0.1");
  client_.ca = stranger_.ca();
  ExpectError(Connect(AddressOf(*fake)), absl::StatusCode::kUnauthenticated,
              absl::StrCat("TLS with ", fake->address(), ": is the daemon's certificate signed by ", stranger_.ca()));
}

TEST_F(TlsChannelTest, ClientOfAnotherAuthorityIsRefused) {
  const auto fake = Serve("IP:127.0.0.1");
  client_ = stranger_.Issue("intruder");
  client_.ca = authority_.ca();
  ExpectError(Connect(AddressOf(*fake)), absl::StatusCode::kUnavailable,
              "the daemon hung up; it does so when its authority has not signed " + client_.certificate);
  EXPECT_EQ(fake->Calls(), std::vector<std::string>());
}

TEST_F(TlsChannelTest, DaemonWithoutTlsIsTold) {
  const FakeMuster fake(TcpAddress{"127.0.0.1", 0});
  ExpectError(Connect(AddressOf(fake)), absl::StatusCode::kUnauthenticated, "does not speak TLS");
}

TEST_F(TlsChannelTest, NobodyListeningIsNotTheFaultOfTls) {
  const TcpAddress freed = std::get<TcpAddress>(Listener::Listen(TcpAddress{"127.0.0.1", 0})->address());
  ExpectError(Connect(freed), absl::StatusCode::kUnavailable, "connect to " + FormatAddress(freed));
}

// A name that no server needs to be asked for.
TEST_F(TlsChannelTest, HostThatIsNotKnownIsNotTheFaultOfTls) {
  ExpectError(Connect({"no..host", 1}), absl::StatusCode::kUnavailable, "look up no..host");
}

TEST_F(TlsChannelTest, SilentPeerHoldsNobodyBeyondTheDeadline) {
  const absl::StatusOr<Listener> mute = Listener::Listen(TcpAddress{"127.0.0.1", 0});
  ExpectError(DialTls(std::get<TcpAddress>(mute->address()), {client_, ""}, {}, Deadline::After(absl::Milliseconds(50)))
                  .status(),
              absl::StatusCode::kDeadlineExceeded, "timed out waiting for TLS with " + FormatAddress(mute->address()));
}

TEST_F(TlsChannelTest, FilesThatAreNotThereAreNamed) {
  client_.key = authority_.directory() + "/none";
  ExpectError(Connect({"127.0.0.1", 1}), absl::StatusCode::kNotFound, client_.key);
}

}  // namespace
}  // namespace muster
