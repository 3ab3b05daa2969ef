#include "base/test_certificates.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include <filesystem>

namespace muster {
namespace {

constexpr long kDay = 24 * 3600;

// A test that cannot make its own files has nothing to say.
void Must(bool done, const char* act) {
  if (done) return;
  fprintf(stderr, "test certificates: %s failed\n", act);
  abort();
}

void AddExtension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  Must(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1, "an extension");
  X509_EXTENSION_free(extension);
}

void SetSerial(X509* certificate) {
  uint32_t serial = 0;
  Must(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof(serial)) == 1, "a serial number");
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial);
}

void SetName(X509* certificate, const std::string& name) {
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
}

template <typename Write>
void WriteTo(const std::string& path, Write write) {
  FILE* const file = fopen(path.c_str(), "w");
  Must(file != nullptr && write(file) == 1, path.c_str());
  fclose(file);
}

}  // namespace

TestCertificates::TestCertificates() {
  char pattern[] = "/tmp/muster_tls.XXXXXX";
  directory_ = mkdtemp(pattern);
  key_.reset(EVP_EC_gen("P-256"));
  certificate_ = Sign("test authority", key_.get(), "");
  WriteTo(ca(), [this](FILE* file) { return PEM_write_X509(file, certificate_.get()); });
}

TestCertificates::~TestCertificates() {
  std::error_code error;
  std::filesystem::remove_all(directory_, error);
}

TestCertificates::Certificate TestCertificates::Sign(const std::string& name, EVP_PKEY* key,
                                                     const std::string& alternative_names) const {
  Certificate made(X509_new());
  X509_set_version(made.get(), X509_VERSION_3);
  SetSerial(made.get());
  // An hour ago: clocks of a guest and its host differ.
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), kDay);
  X509_set_pubkey(made.get(), key);
  SetName(made.get(), name);
  // The first is the authority's, signed by itself.
  X509* const issuer = certificate_ == nullptr ? made.get() : certificate_.get();
  X509_set_issuer_name(made.get(), X509_get_subject_name(issuer));
  AddExtension(made.get(), issuer, NID_basic_constraints, issuer == made.get() ? "critical,CA:TRUE" : "CA:FALSE");
  if (!alternative_names.empty()) AddExtension(made.get(), issuer, NID_subject_alt_name, alternative_names);
  Must(X509_sign(made.get(), key_.get(), EVP_sha256()) != 0, "a signature");
  return made;
}

TlsFiles TestCertificates::Issue(const std::string& name, const std::string& alternative_names) const {
  const Key key(EVP_EC_gen("P-256"));
  const Certificate made = Sign(name, key.get(), alternative_names);
  const TlsFiles files = {ca(), directory_ + "/" + name + ".crt", directory_ + "/" + name + ".key"};
  WriteTo(files.certificate, [&](FILE* file) { return PEM_write_X509(file, made.get()); });
  WriteTo(files.key,
          [&](FILE* file) { return PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
  return files;
}

}  // namespace muster
