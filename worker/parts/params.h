// Reading parameters of a resolved Work.
#ifndef MUSTER_WORKER_PARTS_PARAMS_H_
#define MUSTER_WORKER_PARTS_PARAMS_H_

#include <cstdint>

#include "google/protobuf/duration.pb.h"

namespace muster {

// Nanoseconds of a parameter that is within its range: not negative, at most an hour.
inline uint64_t DurationNs(const google::protobuf::Duration& duration) {
  return static_cast<uint64_t>(duration.seconds()) * 1'000'000'000u + static_cast<uint64_t>(duration.nanos());
}

}  // namespace muster

#endif  // MUSTER_WORKER_PARTS_PARAMS_H_
