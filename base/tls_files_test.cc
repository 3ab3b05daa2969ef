#include "base/tls_files.h"

#include <gtest/gtest.h>

#include <fstream>

#include "absl/strings/match.h"
#include "base/file_io.h"
#include "base/test_certificates.h"

namespace muster {
namespace {

class TlsFilesTest : public testing::Test {
 protected:
  void ExpectRefused(const TlsFiles& files, absl::StatusCode code, const std::string& named) {
    const absl::Status status = ReadTlsFiles(files).status();
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), named)) << status;
  }

  TestCertificates authority_;
  TlsFiles files_ = authority_.Issue("one");
};

TEST_F(TlsFilesTest, ContentsAreThoseOfTheFiles) {
  const absl::StatusOr<TlsMaterial> material = ReadTlsFiles(files_);
  ASSERT_TRUE(material.ok()) << material.status();
  EXPECT_EQ(material->ca, *ReadFile(authority_.ca()));
  EXPECT_EQ(material->certificate, *ReadFile(files_.certificate));
  EXPECT_EQ(material->key, *ReadFile(files_.key));
}

TEST_F(TlsFilesTest, MissingFileIsNamed) {
  for (std::string* file : {&files_.ca, &files_.certificate, &files_.key}) {
    const std::string there = std::exchange(*file, authority_.directory() + "/none");
    ExpectRefused(files_, absl::StatusCode::kNotFound, authority_.directory() + "/none");
    *file = there;
  }
}

TEST_F(TlsFilesTest, FileThatIsNoPemIsNamed) {
  const std::string garbage = authority_.directory() + "/garbage";
  std::ofstream(garbage) << "-----BEGIN NOTHING-----\n";
  for (std::string* file : {&files_.ca, &files_.certificate, &files_.key}) {
    const std::string there = std::exchange(*file, garbage);
    ExpectRefused(files_, absl::StatusCode::kInvalidArgument, garbage);
    *file = there;
  }
}

TEST_F(TlsFilesTest, KeyOfAnotherCertificateIsRefused) {
  files_.key = authority_.Issue("two").key;
  ExpectRefused(files_, absl::StatusCode::kInvalidArgument, "not the key of the certificate");
}

}  // namespace
}  // namespace muster
