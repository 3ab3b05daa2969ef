#include "daemon/service/call_setup.h"

#include <algorithm>
#include <utility>

#include "base/error_detail.h"

namespace muster {

CallContext MakeContext(const CallSetup& setup, std::stop_token cancelled) {
  const absl::Duration asked = absl::FromChrono(setup.context->deadline()) - absl::Now();
  return {Deadline::After(std::min(asked, setup.limit)), std::move(cancelled),
          setup.peers->Name(setup.context->peer())};
}

absl::Status TooManyCalls(const Executor& executor) {
  return LimitError("max_queued_calls", static_cast<int64_t>(executor.options().max_queued),
                    "too many calls wait for a thread; try again");
}

}  // namespace muster
