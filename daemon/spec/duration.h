// google.protobuf.Duration as nanoseconds.
#ifndef MUSTER_DAEMON_SPEC_DURATION_H_
#define MUSTER_DAEMON_SPEC_DURATION_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/duration.pb.h"

namespace muster {

// INVALID_ARGUMENT names `field`: not a valid Duration, or more nanoseconds than 64 bits with a sign hold.
absl::StatusOr<int64_t> DurationNs(const google::protobuf::Duration& duration, absl::string_view field);

// The Duration of a number of nanoseconds.
google::protobuf::Duration DurationOfNs(int64_t ns);

}  // namespace muster

#endif  // MUSTER_DAEMON_SPEC_DURATION_H_
