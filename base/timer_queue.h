// Callbacks at instants, from one thread.
#ifndef MUSTER_BASE_TIMER_QUEUE_H_
#define MUSTER_BASE_TIMER_QUEUE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "base/mutex.h"

namespace muster {

// Calls each callback once, at its instant or as soon after it as the callbacks before it are done. The destructor
// calls none that is still due, and joins the thread. Thread-safe.
class TimerQueue {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // One callback to come; the destructor takes it back. When Reset or the destructor returns, the callback has either
  // returned or will never run, unless they are called by the callback itself. Move-only. Must not outlive the queue.
  class Timer {
   public:
    Timer() = default;
    Timer(Timer&& other) noexcept : queue_(std::exchange(other.queue_, nullptr)), key_(other.key_) {}
    Timer& operator=(Timer&& other) noexcept;
    ~Timer() { Reset(); }

    void Reset();

   private:
    friend class TimerQueue;
    using Key = std::pair<TimePoint, uint64_t>;
    Timer(TimerQueue* queue, Key key) : queue_(queue), key_(key) {}

    TimerQueue* queue_ = nullptr;
    Key key_;
  };

  // RESOURCE_EXHAUSTED: there is no room for a thread.
  static absl::StatusOr<std::unique_ptr<TimerQueue>> Start();
  ~TimerQueue();
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;

  // `callback` must not block: the others wait for it. It may call At, and reset timers.
  [[nodiscard]] Timer At(TimePoint when, std::function<void()> callback) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  TimerQueue() = default;

  void Cancel(const Timer::Key& key) ABSL_LOCKS_EXCLUDED(mutex_);
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);
  // Waits for the next callback; empty when the queue ends.
  std::function<void()> Take() ABSL_LOCKS_EXCLUDED(mutex_);

  Mutex mutex_;
  CondVar changed_;
  std::map<Timer::Key, std::function<void()>> waiting_ ABSL_GUARDED_BY(mutex_);
  uint64_t last_number_ ABSL_GUARDED_BY(mutex_) = 0;
  // Number of the callback that runs; 0: none.
  uint64_t running_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace muster

#endif  // MUSTER_BASE_TIMER_QUEUE_H_
