// Something that happens once, and waiting for it.
#ifndef MUSTER_BASE_EVENT_H_
#define MUSTER_BASE_EVENT_H_

#include "base/deadline.h"
#include "base/mutex.h"

namespace muster {

// Thread-safe. It may be destroyed as soon as a Wait has returned true.
class Event {
 public:
  void Set() ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    set_ = true;
    changed_.NotifyAll();
  }

  bool IsSet() const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    return set_;
  }

  // False when `deadline` passed first.
  bool Wait(Deadline deadline) const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    while (!set_) {
      if (!changed_.WaitUntil(&mutex_, deadline.when())) return set_;
    }
    return true;
  }

 private:
  mutable Mutex mutex_;
  mutable CondVar changed_;
  bool set_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace muster

#endif  // MUSTER_BASE_EVENT_H_
