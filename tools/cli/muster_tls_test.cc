// The program, and a daemon that speaks TLS.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "base/test_certificates.h"
#include "tests/support/fake_muster.h"
#include "tests/support/program_run.h"

namespace muster {
namespace {

class MusterTlsTest : public testing::Test {
 protected:
  std::vector<std::string> PsWith(const TlsFiles& files) const {
    return {"ps",         "--target",        fake_.address(), "--tls-ca", files.ca,
            "--tls-cert", files.certificate, "--tls-key",     files.key};
  }

  TestCertificates authority_;
  TlsFiles client_ = authority_.Issue("client");
  FakeMuster fake_{TcpAddress{"127.0.0.1", 0}, *ReadTlsFiles(authority_.Issue("daemon", "IP:127.0.0.1"))};
};

TEST_F(MusterTlsTest, FlagsNameTheFiles) {
  const ProgramResult result = RunProgram("tools/muster", PsWith(client_));
  EXPECT_EQ(result.exit_code, 0) << result.standard_error;
}

TEST_F(MusterTlsTest, EnvironmentNamesTheFiles) {
  const ProgramResult result = RunProgram("tools/muster", {"ps"},
                                          {"MUSTER_TARGET=" + fake_.address(), "MUSTER_TLS_CA=" + client_.ca,
                                           "MUSTER_TLS_CERT=" + client_.certificate, "MUSTER_TLS_KEY=" + client_.key});
  EXPECT_EQ(result.exit_code, 0) << result.standard_error;
}

TEST_F(MusterTlsTest, DaemonThatIsNotTrustedIsNotSpokenTo) {
  const TestCertificates stranger;
  client_.ca = stranger.ca();
  const ProgramResult result = RunProgram("tools/muster", PsWith(client_));
  EXPECT_EQ(result.exit_code, 77) << result.standard_error;
  EXPECT_TRUE(absl::StrContains(result.standard_error, "TLS with " + fake_.address())) << result.standard_error;
}

TEST_F(MusterTlsTest, FilesByHalvesAreAWrongUse) {
  const ProgramResult result = RunProgram("tools/muster", {"ps", "--target", fake_.address(), "--tls-ca", client_.ca});
  EXPECT_EQ(result.exit_code, 64) << result.standard_error;
}

TEST_F(MusterTlsTest, OtherTransportsHaveNoTls) {
  EXPECT_EQ(RunProgram("tools/muster", {"ps", "--target", "unix:///nowhere", "--tls-ca", "x"}).exit_code, 64);
}

}  // namespace
}  // namespace muster
