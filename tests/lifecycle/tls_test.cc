// musterd on tcp with TLS, dynamic and static.
#include "absl/strings/match.h"
#include "base/test_certificates.h"
#include "tests/support/live_test.h"
#include "tests/support/program_run.h"

namespace muster {
namespace {

class TlsTest : public LiveTest, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    const TlsFiles files = authority_.Issue("daemon", "IP:127.0.0.1");
    StartDaemon({.flags = {"--listen=tcp://127.0.0.1:0", "--tls-cert=" + files.certificate, "--tls-key=" + files.key,
                           "--tls-client-ca=" + files.ca},
                 .musterd = GetParam()});
  }

  absl::StatusOr<Client> ConnectTcp(std::optional<TlsOptions> tls) {
    ClientOptions options;
    options.connection.tls = std::move(tls);
    return Client::Connect(daemon_->addresses().at(1), options);
  }

  TestCertificates authority_;
};

TEST_P(TlsTest, AWholeLifeOverTls) {
  absl::StatusOr<Client> client = ConnectTcp(TlsOptions{authority_.Issue("client"), ""});
  ASSERT_TRUE(client.ok()) << client.status();
  client_ = *std::move(client);
  WorkloadHandle handle = MustSpawn(Spec("num_workers: 2"));
  ASSERT_TRUE(handle.Start().ok());
  WaitForProgress(handle, 1);
  EXPECT_EQ(MustCollect(std::move(handle)).reports.size(), 2u);
}

TEST_P(TlsTest, ClientsThatTheAuthorityHasNotSignedGetNoAnswer) {
  const TestCertificates stranger;
  TlsFiles files = stranger.Issue("intruder");
  files.ca = authority_.ca();
  const absl::Status intruder = ConnectTcp(TlsOptions{files, ""}).status();
  EXPECT_TRUE(absl::StrContains(intruder.message(), "TLS with tcp://127.0.0.1:")) << intruder;
  const absl::Status plain = ConnectTcp(std::nullopt).status();
  EXPECT_TRUE(absl::StrContains(plain.message(), "does it speak TLS")) << plain;
}

INSTANTIATE_TEST_SUITE_P(Programs, TlsTest, testing::Values("daemon/musterd", "daemon/musterd-static"));

// An address of documentation (RFC 5737), which no machine has.
TEST(TlsRefusalTest, WithoutTlsNoAddressBeyondLoopbackIsBound) {
  const ProgramResult result =
      RunProgram("daemon/musterd", {"--listen=tcp://192.0.2.1:1", "--worker-binary=tests/support/misbehaving_worker"});
  EXPECT_EQ(result.exit_code, 69) << result.standard_error;
  EXPECT_TRUE(absl::StrContains(result.standard_error, "TLS with client certificates")) << result.standard_error;
}

TEST(TlsRefusalTest, KeyOfAnotherCertificateIsRefusedAtTheStart) {
  const TestCertificates authority;
  const TlsFiles files = authority.Issue("daemon");
  const ProgramResult result =
      RunProgram("daemon/musterd", {"--listen=tcp://127.0.0.1:0", "--worker-binary=tests/support/misbehaving_worker",
                                    "--tls-cert=" + files.certificate, "--tls-key=" + authority.Issue("other").key,
                                    "--tls-client-ca=" + files.ca});
  EXPECT_EQ(result.exit_code, 69) << result.standard_error;
  EXPECT_TRUE(absl::StrContains(result.standard_error, "not the key of the certificate")) << result.standard_error;
}

}  // namespace
}  // namespace muster
