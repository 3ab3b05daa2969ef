// What a test may ask about its own build and run.
#ifndef MUSTER_BASE_TEST_RUN_H_
#define MUSTER_BASE_TEST_RUN_H_

#include <stdlib.h>

#include <string_view>

namespace muster {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kUnderAsan = true;
#else
inline constexpr bool kUnderAsan = false;
#endif

#if defined(__SANITIZE_THREAD__)
inline constexpr bool kUnderTsan = true;
#else
inline constexpr bool kUnderTsan = false;
#endif

inline constexpr bool kUnderSanitizer = kUnderAsan || kUnderTsan;

// tools/test --long.
inline bool IsLongRun() {
  const char* const wanted = getenv("MUSTER_LONG");
  return wanted != nullptr && std::string_view(wanted) == "yes";
}

}  // namespace muster

#endif  // MUSTER_BASE_TEST_RUN_H_
