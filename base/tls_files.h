// The files behind mutual TLS.
#ifndef MUSTER_BASE_TLS_FILES_H_
#define MUSTER_BASE_TLS_FILES_H_

#include <string>

#include "absl/status/statusor.h"

namespace muster {

// Paths of PEM files, one's own and the peer's authority.
struct TlsFiles {
  // Certificates of the authorities of which one must have signed the peer's certificate; no others count.
  std::string ca;
  // One's own certificate first, then those between it and its authority.
  std::string certificate;
  // The private key of that certificate, without a passphrase.
  std::string key;
};

// Their contents.
struct TlsMaterial {
  std::string ca;
  std::string certificate;
  std::string key;
};

// Reads the three files. An error names the file: what open(2) says, or INVALID_ARGUMENT when it does not parse, or
// when the key is not the certificate's.
absl::StatusOr<TlsMaterial> ReadTlsFiles(const TlsFiles& files);

}  // namespace muster

#endif  // MUSTER_BASE_TLS_FILES_H_
