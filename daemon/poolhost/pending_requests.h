// Requests that wait for their reply.
#ifndef MUSTER_DAEMON_POOLHOST_PENDING_REQUESTS_H_
#define MUSTER_DAEMON_POOLHOST_PENDING_REQUESTS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/deadline.h"
#include "base/mutex.h"
#include "muster/control/control.pb.h"

namespace muster {

// Calls each request's `done` exactly once, never with a lock held. Thread-safe.
class PendingRequests {
 public:
  using Done = std::function<void(absl::StatusOr<control::Reply>)>;

  // The number of a new request. The error given to Close, when that has been called; then `done` is not kept.
  absl::StatusOr<uint64_t> Add(Deadline deadline, Done done) {
    MutexLock lock(&mutex_);
    if (!closed_.ok()) return closed_;
    pending_.emplace(++last_, Entry{deadline, std::move(done)});
    return last_;
  }

  // Ends one; a number that nobody waits for (its deadline has passed) is ignored.
  void Finish(uint64_t number, absl::StatusOr<control::Reply> result) {
    Done done;
    {
      MutexLock lock(&mutex_);
      const auto found = pending_.find(number);
      if (found == pending_.end()) return;
      done = std::move(found->second.done);
      pending_.erase(found);
    }
    done(std::move(result));
  }

  // Ends those whose deadline has passed.
  void Expire() {
    for (const uint64_t number : Numbers([](const Entry& entry) { return entry.deadline.Expired(); })) {
      Finish(number, absl::DeadlineExceededError("the pool host has not answered in time"));
    }
  }

  // Ends all with `error`, and all that are added later.
  void Close(const absl::Status& error) {
    {
      MutexLock lock(&mutex_);
      closed_ = error;
    }
    for (const uint64_t number : Numbers([](const Entry&) { return true; })) Finish(number, error);
  }

  // Until the next deadline, for poll(2); -1 when nobody waits.
  int PollTimeoutMs() {
    MutexLock lock(&mutex_);
    int timeout = -1;
    for (const auto& [number, entry] : pending_) {
      const int left = entry.deadline.PollTimeoutMs();
      if (timeout < 0 || left < timeout) timeout = left;
    }
    return timeout;
  }

 private:
  struct Entry {
    Deadline deadline;
    Done done;
  };

  template <typename Filter>
  std::vector<uint64_t> Numbers(Filter filter) {
    MutexLock lock(&mutex_);
    std::vector<uint64_t> numbers;
    for (const auto& [number, entry] : pending_) {
      if (filter(entry)) numbers.push_back(number);
    }
    return numbers;
  }

  Mutex mutex_;
  absl::Status closed_ ABSL_GUARDED_BY(mutex_);
  uint64_t last_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, Entry> pending_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace muster

#endif  // MUSTER_DAEMON_POOLHOST_PENDING_REQUESTS_H_
