// Names and secrets that nobody can guess.
#ifndef MUSTER_BASE_RANDOM_TOKEN_H_
#define MUSTER_BASE_RANDOM_TOKEN_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"

namespace muster {

// `bytes` of the kernel's randomness (getrandom(2)) in lower-case hexadecimal; at most 256.
absl::StatusOr<std::string> RandomToken(size_t bytes);

}  // namespace muster

#endif  // MUSTER_BASE_RANDOM_TOKEN_H_
