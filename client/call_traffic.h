// Keeps a thread that only waits out of gRPC's polling while others make calls.
#ifndef MUSTER_CLIENT_CALL_TRAFFIC_H_
#define MUSTER_CLIENT_CALL_TRAFFIC_H_

#include <chrono>
#include <functional>
#include <utility>

#include "base/mutex.h"

namespace muster {

// Every thread that waits for gRPC polls for the whole process, and hands what it has read to the thread that wants it:
// a stream on which nothing happens costs each call of another thread several context switches. So its reader waits
// here while calls follow each other closely, and looks for its own messages at intervals. Thread-safe; one reader.
class CallTraffic {
 public:
  // Calls this close to each other are traffic, and a reader looks this often during it.
  static constexpr std::chrono::milliseconds kPause{20};

  // A call begins, or a message of a stream has come. In traffic, wakes the reader from its wait in gRPC.
  void Note() ABSL_LOCKS_EXCLUDED(mutex_) {
    const auto now = std::chrono::steady_clock::now();
    MutexLock lock(&mutex_);
    const bool in_traffic = now - last_ < kPause;
    last_ = now;
    // With the lock held, so that the reader is still there; it must not come back here.
    if (in_traffic && wake_) std::exchange(wake_, nullptr)();
  }

  // The reader goes to wait in gRPC, from where `wake` fetches it; false, and it does not, during traffic.
  [[nodiscard]] bool BeginWait(std::function<void()> wake) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    if (std::chrono::steady_clock::now() - last_ < kPause && !hurried_) return false;
    wake_ = std::move(wake);
    return true;
  }

  // It is back. Whoever was about to wake it has done so.
  void EndWait() ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    wake_ = nullptr;
  }

  // Waits for the next time to look; not at all once hurried.
  void Pause() ABSL_LOCKS_EXCLUDED(mutex_) {
    const auto until = std::chrono::steady_clock::now() + kPause;
    MutexLock lock(&mutex_);
    while (!hurried_ && changed_.WaitUntil(&mutex_, until)) {
    }
  }

  // The reader's stream is being ended: from now on it waits in gRPC only.
  void Hurry() ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    hurried_ = true;
    changed_.NotifyAll();
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::chrono::steady_clock::time_point last_ ABSL_GUARDED_BY(mutex_);
  std::function<void()> wake_ ABSL_GUARDED_BY(mutex_);
  bool hurried_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace muster

#endif  // MUSTER_CLIENT_CALL_TRAFFIC_H_
