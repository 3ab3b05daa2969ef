#include "client/redials.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace muster {
namespace {

// Before the third try; each further one waits four times as long.
constexpr absl::Duration kFirstPause = absl::Milliseconds(10);

}  // namespace

void Redials::NoteProgress() {
  until_.reset();
  hang_ups_ = 0;
  Begin();
}

bool Redials::TryAgain(const Deadline& deadline) {
  if (!until_.has_value()) until_ = Deadline::After(patience_);
  const bool hung_up = absl::FromChrono(Clock::now() - began_) < silence_;
  hang_ups_ = hung_up ? hang_ups_ + 1 : 0;
  if (hang_ups_ >= kMaxHangUps || until_->Expired() || deadline.Expired()) return false;
  absl::Duration pause = hang_ups_ < 2 ? absl::ZeroDuration() : kFirstPause;
  for (int i = 2; i < hang_ups_; ++i) pause *= 4;
  absl::SleepFor(std::min(pause, deadline.Remaining()));
  return true;
}

absl::Status Redials::GivenUp(absl::Status broken, const Deadline& deadline) {
  if (!deadline.Expired()) return broken;
  return absl::DeadlineExceededError(absl::StrCat(broken.message(), "; no time left to dial again"));
}

}  // namespace muster
