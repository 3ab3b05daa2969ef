// A fuzz target: one parser under any bytes. Each *_fuzz.cc defines the two functions below. tests/fuzz/standalone.cc
// runs them over the seeds and mutations of these, the same ones every time, as a test; clang -fsanitize=fuzzer takes
// the first as it is.
#ifndef MUSTER_TESTS_FUZZ_FUZZ_H_
#define MUSTER_TESTS_FUZZ_FUZZ_H_

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

// Parses one input, and aborts when what comes out cannot be. libFuzzer's entry point: returns 0.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace muster::fuzz {

// Inputs to begin with, good ones and nearly good ones.
std::vector<std::string> Seeds();

inline absl::string_view TextOf(const uint8_t* data, size_t size) {
  return absl::string_view(reinterpret_cast<const char*>(data), size);
}

// What holds for every input; the run ends with `what` where it does not.
inline void Require(bool holds, const char* what) {
  if (holds) return;
  fprintf(stderr, "does not hold: %s\n", what);
  abort();
}

}  // namespace muster::fuzz

#endif  // MUSTER_TESTS_FUZZ_FUZZ_H_
