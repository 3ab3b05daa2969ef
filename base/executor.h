// Threads on which handlers may block, so that gRPC's own never do.
#ifndef MUSTER_BASE_EXECUTOR_H_
#define MUSTER_BASE_EXECUTOR_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace muster {

// Runs tasks in the order of their coming, on threads that it makes when none is idle, up to a number. The destructor
// runs what is queued and joins the threads; whoever destroys it has cancelled long tasks before. Thread-safe.
class Executor {
 public:
  struct Options {
    // Of its threads, as top -H shows them; at most 15 bytes.
    std::string name;
    size_t max_threads = 1;
    // Tasks that may wait for a thread.
    size_t max_queued = 1;
  };

  explicit Executor(Options options) : options_(std::move(options)) {}
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // False when max_queued tasks wait already, or no thread can be made: the task will not run.
  [[nodiscard]] bool Submit(std::function<void()> task) ABSL_LOCKS_EXCLUDED(mutex_);

  const Options& options() const { return options_; }

 private:
  void AddThread() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Work() ABSL_LOCKS_EXCLUDED(mutex_);
  // Empty when the executor ends.
  std::function<void()> Take() ABSL_LOCKS_EXCLUDED(mutex_);

  const Options options_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<std::function<void()>> tasks_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(mutex_);
  size_t idle_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace muster

#endif  // MUSTER_BASE_EXECUTOR_H_
