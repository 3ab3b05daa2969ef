// What a handler knows of its call besides the request.
#ifndef MUSTER_DAEMON_SERVICE_CALL_CONTEXT_H_
#define MUSTER_DAEMON_SERVICE_CALL_CONTEXT_H_

#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "base/deadline.h"

namespace muster {

struct CallContext {
  // The caller's, or the daemon's own for such a call when that is earlier.
  Deadline deadline = Deadline::After(absl::InfiniteDuration());
  // Stop is requested when nobody waits for the answer any more: the caller has gone, or its deadline has passed.
  std::stop_token cancelled;
  // Who calls, as taken when the connection was accepted.
  std::string peer;

  // Of a unary call, for its handler's thread alone; null for others.
  std::vector<std::shared_ptr<const void>>* until_answered = nullptr;

  // CANCELLED or DEADLINE_EXCEEDED when there is no use in going on.
  absl::Status Alive() const {
    if (deadline.Expired()) return absl::DeadlineExceededError("the deadline of the call has passed");
    if (cancelled.stop_requested()) return absl::CancelledError("the caller has gone");
    return absl::OkStatus();
  }

  // Has that thread let go of it only when the answer is on its way: for what takes long to end and nobody need wait
  // for.
  void KeepUntilAnswered(std::shared_ptr<const void> kept) const {
    if (until_answered != nullptr) until_answered->push_back(std::move(kept));
  }
};

}  // namespace muster

#endif  // MUSTER_DAEMON_SERVICE_CALL_CONTEXT_H_
