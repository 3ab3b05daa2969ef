// What every call of the client library takes.
#ifndef MUSTER_CLIENT_CALL_OPTIONS_H_
#define MUSTER_CLIENT_CALL_OPTIONS_H_

#include "absl/time/time.h"
#include "base/deadline.h"

namespace muster {

struct CallOptions {
  // Covers the whole call: dialling again and retries too. A longer one than a year is a year.
  absl::Duration timeout = absl::Seconds(30);

  Deadline deadline() const { return Deadline::After(timeout); }
};

}  // namespace muster

#endif  // MUSTER_CLIENT_CALL_OPTIONS_H_
