// How long to go on when connections break.
#ifndef MUSTER_CLIENT_REDIALS_H_
#define MUSTER_CLIENT_REDIALS_H_

#include <chrono>
#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/deadline.h"

namespace muster {

// Counts one call's breaks. A peer that takes connections and hangs up at once will not do otherwise in a minute: it
// gets kMaxHangUps tries in a row, with growing pauses. One that takes them and is silent, until keepalive gives them
// up, may only stand still: it is tried for `patience` from the first break on. (Of guests that were frozen for ten
// seconds, one in five was silent for ten more: it opens connections, but its clock has jumped, and it seems that the
// kernel charges the jump to a real-time task of the daemon and throttles it.) Not thread-safe.
class Redials {
 public:
  static constexpr int kMaxHangUps = 5;

  // A connection that broke sooner than `silence` after the try began was hung up on.
  Redials(absl::Duration patience, absl::Duration silence) : patience_(patience), silence_(silence) {}

  // A try begins, on a connection.
  void Begin() { began_ = Clock::now(); }

  // Something has come: the breaks before it are forgotten.
  void NoteProgress();

  // The try has ended in a break. False: give up. Otherwise pauses, within `deadline`, and the caller tries again.
  bool TryAgain(const Deadline& deadline);

  // How long a dial may take that begins now: `patience` from the first break on, or from now.
  Deadline Until() const { return until_.value_or(Deadline::After(patience_)); }

  // What the caller that gives up says of the last break: DEADLINE_EXCEEDED when it was the time that ended.
  static absl::Status GivenUp(absl::Status broken, const Deadline& deadline);

 private:
  using Clock = std::chrono::steady_clock;

  const absl::Duration patience_;
  const absl::Duration silence_;
  Clock::time_point began_ = Clock::now();
  std::optional<Deadline> until_;
  int hang_ups_ = 0;
};

}  // namespace muster

#endif  // MUSTER_CLIENT_REDIALS_H_
