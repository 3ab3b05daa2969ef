#include "daemon/spec/duration.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "base/error_detail.h"

namespace muster {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;

}  // namespace

absl::StatusOr<int64_t> DurationNs(const google::protobuf::Duration& duration, absl::string_view field) {
  const int64_t seconds = duration.seconds();
  const int64_t nanos = duration.nanos();
  const bool signs_differ = (seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0);
  if (nanos >= kNsPerSecond || nanos <= -kNsPerSecond || signs_differ) {
    return FieldError(field, absl::StrCat(seconds, " s and ", nanos,
                                          " ns are no valid duration; give both the same sign, and "
                                          "less than a second of ns"));
  }
  const __int128 ns = static_cast<__int128>(seconds) * kNsPerSecond + nanos;
  if (ns > std::numeric_limits<int64_t>::max() || ns < std::numeric_limits<int64_t>::min()) {
    return FieldError(field, absl::StrCat(seconds, " s are more than 2^63 ns; choose less than 292 years"));
  }
  return static_cast<int64_t>(ns);
}

google::protobuf::Duration DurationOfNs(int64_t ns) {
  google::protobuf::Duration duration;
  duration.set_seconds(ns / kNsPerSecond);
  duration.set_nanos(static_cast<int32_t>(ns % kNsPerSecond));
  return duration;
}

}  // namespace muster
