#include "client/dialler.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <iterator>

#include "base/status_macros.h"

namespace muster {
namespace {

constexpr absl::Duration kLongestPause = absl::Minutes(1);

void WaitForAny(const std::vector<HybridDial>& dials, const Deadline& deadline) {
  std::vector<pollfd> waits;
  for (const HybridDial& dial : dials) waits.push_back({dial.fd(), POLLIN, 0});
  poll(waits.data(), waits.size(), deadline.PollTimeoutMs());
}

// An answer that came while nobody waited may be so old that the daemon has hung up since.
bool IsOpen(int fd) {
  char byte = 0;
  const ssize_t got = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

// The first that has been answered. Those that failed are dropped. DEADLINE_EXCEEDED: none has an answer yet; otherwise
// why the last one failed.
absl::StatusOr<UniqueFd> TakeAnswered(std::vector<HybridDial>* dials) {
  absl::Status last = absl::UnavailableError("nobody was dialled");
  for (size_t i = 0; i < dials->size();) {
    absl::StatusOr<UniqueFd> fd = (*dials)[i].Await(absl::ZeroDuration());
    if (absl::IsDeadlineExceeded(fd.status())) {
      last = fd.status();
      ++i;
      continue;
    }
    dials->erase(dials->begin() + i);
    if (fd.ok() && IsOpen(fd->get())) return fd;
    if (dials->empty()) last = fd.ok() ? absl::UnavailableError("the guest has hung up") : fd.status();
  }
  return last;
}

}  // namespace

absl::StatusOr<UniqueFd> Dialler::Dial(const Deadline& deadline) {
  const auto* hybrid = std::get_if<HybridVsockAddress>(&address_);
  return hybrid == nullptr ? muster::Dial(address_, deadline.Remaining()) : DialHybrid(*hybrid, deadline);
}

absl::StatusOr<UniqueFd> Dialler::DialHybrid(const HybridVsockAddress& address, const Deadline& deadline) {
  std::vector<HybridDial> dials = TakeUnanswered();
  absl::StatusOr<UniqueFd> fd = DialBeside(&dials, address, deadline);
  if (fd.ok()) NoteAnswer();
  GiveBack(std::move(dials));
  return fd;
}

absl::StatusOr<UniqueFd> Dialler::DialBeside(std::vector<HybridDial>* dials, const HybridVsockAddress& address,
                                             const Deadline& deadline) {
  bool started = false;
  while (true) {
    absl::StatusOr<UniqueFd> fd = TakeAnswered(dials);
    const bool waiting = absl::IsDeadlineExceeded(fd.status());
    // What became of an attempt of earlier says nothing about now.
    const bool again = waiting ? again_at().Expired() && !deadline.Expired() : !started;
    if (fd.ok() || (!again && (!waiting || deadline.Expired()))) return fd;
    if (again) {
      ASSIGN_OR_RETURN(HybridDial dial, HybridDial::Start(address, deadline.Remaining()));
      dials->push_back(std::move(dial));
      NoteStart();
      started = true;
    }
    WaitForAny(*dials, Earlier(deadline, again_at()));
  }
}

std::vector<HybridDial> Dialler::TakeUnanswered() {
  MutexLock lock(&mutex_);
  return std::exchange(unanswered_, {});
}

void Dialler::GiveBack(std::vector<HybridDial> dials) {
  MutexLock lock(&mutex_);
  unanswered_.insert(unanswered_.end(), std::make_move_iterator(dials.begin()), std::make_move_iterator(dials.end()));
}

Deadline Dialler::again_at() {
  MutexLock lock(&mutex_);
  return again_at_;
}

void Dialler::NoteStart() {
  MutexLock lock(&mutex_);
  again_at_ = Deadline::After(pause_);
  pause_ = std::min(2 * pause_, kLongestPause);
}

void Dialler::NoteAnswer() {
  MutexLock lock(&mutex_);
  pause_ = first_pause_;
}

}  // namespace muster
