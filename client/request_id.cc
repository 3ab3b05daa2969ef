#include "client/request_id.h"

#include <sys/random.h>

#include <random>

#include "absl/strings/escaping.h"

namespace muster {

std::string NewRequestId() {
  char bytes[16];
  // Up to 256 bytes come whole, and never block once the machine is up (getrandom(2)).
  if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes)) {
    std::random_device device;
    for (char& byte : bytes) byte = static_cast<char>(device());
  }
  return absl::BytesToHexString(absl::string_view(bytes, sizeof(bytes)));
}

}  // namespace muster
