// A certificate authority of a test's own.
#ifndef MUSTER_BASE_TEST_CERTIFICATES_H_
#define MUSTER_BASE_TEST_CERTIFICATES_H_

#include <openssl/x509.h>

#include <memory>
#include <string>

#include "base/tls_files.h"

namespace muster {

// Makes keys and certificates in a directory of its own, which the destructor removes. Two objects trust nothing of
// each other's, though their authorities have the same name.
class TestCertificates {
 public:
  TestCertificates();
  ~TestCertificates();
  TestCertificates(const TestCertificates&) = delete;
  TestCertificates& operator=(const TestCertificates&) = delete;

  // The files of a party that trusts this authority and is signed by it: `name` is its common name and, in the
  // directory, the stem of its files. `alternative_names` as "IP:127.0.0.1,DNS:localhost"; empty: none.
  TlsFiles Issue(const std::string& name, const std::string& alternative_names = "") const;

  // The authority's own certificate.
  std::string ca() const { return directory_ + "/ca.crt"; }
  const std::string& directory() const { return directory_; }

 private:
  struct Free {
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };
  using Certificate = std::unique_ptr<X509, Free>;
  using Key = std::unique_ptr<EVP_PKEY, Free>;

  Certificate Sign(const std::string& name, EVP_PKEY* key, const std::string& alternative_names) const;

  std::string directory_;
  Key key_;
  Certificate certificate_;
};

}  // namespace muster

#endif  // MUSTER_BASE_TEST_CERTIFICATES_H_
