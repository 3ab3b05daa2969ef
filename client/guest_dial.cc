#include "client/guest_dial.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace muster {
namespace {

// A request that went out before the guest had its driver, or before anybody had the CID, is lost: so no attempt may
// have the whole deadline. And a guest that is slow to answer must not be asked anew for ever: so each has more time.
constexpr absl::Duration kFirstAttempt = absl::Seconds(1);
constexpr absl::Duration kFirstPause = absl::Milliseconds(10);
constexpr absl::Duration kLongestPause = absl::Milliseconds(250);

bool MayBeBooting(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
}

absl::Status WithAttempts(const absl::Status& status, int attempts) {
  if (attempts == 1) return status;
  return absl::Status(status.code(), absl::StrCat(status.message(), " (tried ", attempts, " times)"));
}

}  // namespace

absl::StatusOr<UniqueFd> DialPatiently(const Address& address, const Deadline& deadline, DialOnce dial) {
  const bool guest =
      std::holds_alternative<VsockAddress>(address) || std::holds_alternative<HybridVsockAddress>(address);
  if (!guest) return dial(deadline);
  absl::Duration limit = kFirstAttempt;
  absl::Duration pause = kFirstPause;
  absl::Status last;
  for (int attempts = 1;; ++attempts) {
    const absl::Duration remaining = deadline.Remaining();
    absl::StatusOr<UniqueFd> fd = dial(Deadline::After(std::min(limit, remaining)));
    if (fd.ok()) return fd;
    // That the last attempt came too late for an answer tells less than the answer before.
    const bool cut_short = remaining < limit && absl::IsDeadlineExceeded(fd.status()) && !last.ok();
    if (!cut_short) last = fd.status();
    if (!MayBeBooting(last) || deadline.Remaining() <= pause) return WithAttempts(last, attempts);
    absl::SleepFor(pause);
    limit *= 2;
    pause = std::min(2 * pause, kLongestPause);
  }
}

}  // namespace muster
