#include "base/timer_queue.h"

#include <pthread.h>

#include "base/make_thread.h"
#include "base/status_macros.h"

namespace muster {

TimerQueue::Timer& TimerQueue::Timer::operator=(Timer&& other) noexcept {
  if (this == &other) return *this;
  Reset();
  queue_ = std::exchange(other.queue_, nullptr);
  key_ = other.key_;
  return *this;
}

void TimerQueue::Timer::Reset() {
  if (queue_ != nullptr) std::exchange(queue_, nullptr)->Cancel(key_);
}

absl::StatusOr<std::unique_ptr<TimerQueue>> TimerQueue::Start() {
  std::unique_ptr<TimerQueue> queue(new TimerQueue());
  ASSIGN_OR_RETURN(queue->thread_, MakeThread("timers", [raw = queue.get()] { raw->Run(); }));
  pthread_setname_np(queue->thread_.native_handle(), "timers");
  return queue;
}

TimerQueue::~TimerQueue() {
  if (!thread_.joinable()) return;
  {
    MutexLock lock(&mutex_);
    ending_ = true;
    changed_.NotifyAll();
  }
  thread_.join();
}

TimerQueue::Timer TimerQueue::At(TimePoint when, std::function<void()> callback) {
  MutexLock lock(&mutex_);
  const Timer::Key key(when, ++last_number_);
  waiting_.emplace(key, std::move(callback));
  if (waiting_.begin()->first == key) changed_.NotifyAll();
  return Timer(this, key);
}

void TimerQueue::Cancel(const Timer::Key& key) {
  std::function<void()> callback;
  MutexLock lock(&mutex_);
  const auto it = waiting_.find(key);
  if (it != waiting_.end()) {
    // Destroyed after the lock is let go: what it holds may have a destructor that comes back here.
    callback = std::move(it->second);
    waiting_.erase(it);
    return;
  }
  if (std::this_thread::get_id() == thread_.get_id()) return;
  while (running_ == key.second) changed_.WaitUntil(&mutex_, SteadyDeadline(absl::InfiniteDuration()));
}

void TimerQueue::Run() {
  while (true) {
    std::function<void()> callback = Take();
    if (!callback) return;
    callback();
    callback = nullptr;
    MutexLock lock(&mutex_);
    running_ = 0;
    changed_.NotifyAll();
  }
}

std::function<void()> TimerQueue::Take() {
  MutexLock lock(&mutex_);
  while (!ending_) {
    const auto next = waiting_.begin();
    if (next == waiting_.end()) {
      changed_.WaitUntil(&mutex_, SteadyDeadline(absl::InfiniteDuration()));
    } else if (next->first.first > std::chrono::steady_clock::now()) {
      changed_.WaitUntil(&mutex_, TimePoint(next->first.first));
    } else {
      running_ = next->first.second;
      std::function<void()> callback = std::move(next->second);
      waiting_.erase(next);
      return callback;
    }
  }
  return nullptr;
}

}  // namespace muster
