#include "base/tls_files.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "base/file_io.h"
#include "base/status_macros.h"

namespace muster {
namespace {

// Frees what libcrypto made.
struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

// What libcrypto found wrong last; leaves its queue of errors empty, as the next user of this thread expects it.
std::string Reason() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* const reason = ERR_reason_error_string(code);
  return reason == nullptr ? "it cannot be read" : reason;
}

Owned<BIO> Memory(const std::string& text) {
  return Owned<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Instead of asking at the terminal.
int NoPassphrase(char*, int, int, void*) { return -1; }

absl::StatusOr<Owned<X509>> ParseCertificate(const std::string& text, const std::string& path) {
  const Owned<BIO> bio = Memory(text);
  Owned<X509> certificate(PEM_read_bio_X509(bio.get(), nullptr, NoPassphrase, nullptr));
  if (certificate != nullptr) return certificate;
  return absl::InvalidArgumentError(absl::StrCat(path, ": no certificate in PEM form: ", Reason()));
}

absl::StatusOr<Owned<EVP_PKEY>> ParseKey(const std::string& text, const std::string& path) {
  const Owned<BIO> bio = Memory(text);
  Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassphrase, nullptr));
  if (key != nullptr) return key;
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": no private key in PEM form, without a passphrase: ", Reason()));
}

}  // namespace

absl::StatusOr<TlsMaterial> ReadTlsFiles(const TlsFiles& files) {
  TlsMaterial material;
  ASSIGN_OR_RETURN(material.ca, ReadFile(files.ca));
  ASSIGN_OR_RETURN(material.certificate, ReadFile(files.certificate));
  ASSIGN_OR_RETURN(material.key, ReadFile(files.key));
  RETURN_IF_ERROR(ParseCertificate(material.ca, files.ca).status());
  ASSIGN_OR_RETURN(const Owned<X509> certificate, ParseCertificate(material.certificate, files.certificate));
  ASSIGN_OR_RETURN(const Owned<EVP_PKEY> key, ParseKey(material.key, files.key));
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(files.key, ": is not the key of the certificate in ", files.certificate, ": ", Reason()));
  }
  return material;
}

}  // namespace muster
