#include "base/executor.h"

#include <pthread.h>

#include <utility>

#include "base/log.h"
#include "base/make_thread.h"

namespace muster {

Executor::~Executor() {
  std::vector<std::thread> threads;
  {
    MutexLock lock(&mutex_);
    ending_ = true;
    threads = std::move(threads_);
    changed_.NotifyAll();
  }
  for (std::thread& thread : threads) thread.join();
}

bool Executor::Submit(std::function<void()> task) {
  MutexLock lock(&mutex_);
  if (ending_) return false;
  // An idle thread comes for each queued task; `idle_` counts those that are on their way too.
  if (idle_ <= tasks_.size() && threads_.size() < options_.max_threads) AddThread();
  if (threads_.empty() || tasks_.size() >= idle_ + options_.max_queued) return false;
  tasks_.push_back(std::move(task));
  changed_.NotifyOne();
  return true;
}

void Executor::AddThread() {
  absl::StatusOr<std::thread> thread = MakeThread("calls", [this] { Work(); });
  if (!thread.ok()) return LogWarning(thread.status().message());
  threads_.push_back(*std::move(thread));
  pthread_setname_np(threads_.back().native_handle(), options_.name.c_str());
  ++idle_;
}

void Executor::Work() {
  while (true) {
    std::function<void()> task = Take();
    if (!task) return;
    task();
    // What it holds goes before the thread counts as idle.
    task = nullptr;
    MutexLock lock(&mutex_);
    ++idle_;
  }
}

std::function<void()> Executor::Take() {
  MutexLock lock(&mutex_);
  while (tasks_.empty() && !ending_) changed_.WaitUntil(&mutex_, SteadyDeadline(absl::InfiniteDuration()));
  if (tasks_.empty()) return nullptr;
  std::function<void()> task = std::move(tasks_.front());
  tasks_.pop_front();
  --idle_;
  return task;
}

}  // namespace muster
