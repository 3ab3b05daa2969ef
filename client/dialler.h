// Dialling one address, time and again.
#ifndef MUSTER_CLIENT_DIALLER_H_
#define MUSTER_CLIENT_DIALLER_H_

#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/address.h"
#include "base/deadline.h"
#include "base/dial.h"
#include "base/mutex.h"
#include "base/unique_fd.h"

namespace muster {

// As muster::Dial, but a hybrid vsock that has not answered in time is not hung up on (see HybridDial): later calls go
// on waiting for it, so that a guest that stood still is reached again when it goes on. From time to time, and ever
// less often, another one is started beside it, as a device may have lost the first. The destructor hangs up.
// Thread-safe.
class Dialler {
 public:
  // `pause` is the time to the second attempt; each further one takes twice as long as the one before.
  explicit Dialler(Address address, absl::Duration pause = absl::Seconds(2))
      : address_(std::move(address)), first_pause_(pause), pause_(pause) {}

  // Errors are those of muster::Dial.
  absl::StatusOr<UniqueFd> Dial(const Deadline& deadline);

 private:
  absl::StatusOr<UniqueFd> DialHybrid(const HybridVsockAddress& address, const Deadline& deadline);
  // The first of `dials`, or of those that it starts and adds, to be answered.
  absl::StatusOr<UniqueFd> DialBeside(std::vector<HybridDial>* dials, const HybridVsockAddress& address,
                                      const Deadline& deadline);
  // What earlier calls left; the caller owns it until it gives it back.
  std::vector<HybridDial> TakeUnanswered();
  void GiveBack(std::vector<HybridDial> dials);
  Deadline again_at();
  void NoteStart();
  void NoteAnswer();

  const Address address_;
  const absl::Duration first_pause_;
  Mutex mutex_;
  std::vector<HybridDial> unanswered_ ABSL_GUARDED_BY(mutex_);
  // When another one is started, and how long it then takes to the next.
  Deadline again_at_ ABSL_GUARDED_BY(mutex_) = Deadline::After(absl::ZeroDuration());
  absl::Duration pause_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace muster

#endif  // MUSTER_CLIENT_DIALLER_H_
