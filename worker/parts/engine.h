// Threads of a work type's own, and what they measure: for types that are a small benchmark within one worker.
#ifndef MUSTER_WORKER_PARTS_ENGINE_H_
#define MUSTER_WORKER_PARTS_ENGINE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "base/mutex.h"
#include "worker/core/work_type.h"
#include "worker/meter/meter.h"

namespace muster {

// The worker's streams and units, as its threads share them. Thread-safe; must not outlive the meter.
class EngineMeter {
 public:
  struct Sample {
    arena::Stream stream;
    uint64_t ns;
  };

  explicit EngineMeter(Meter* meter) : meter_(meter) {}

  const Meter& stop() const { return *meter_; }
  bool stopping() const { return meter_->stopping(); }
  void Offer(const std::vector<Sample>& samples);
  void AddUnits(uint64_t units) { units_.fetch_add(units, std::memory_order_relaxed); }
  // Units since the last call; by the worker's own thread.
  uint64_t TakeUnits() { return units_.exchange(0, std::memory_order_relaxed); }

 private:
  Mutex mutex_;
  Meter* const meter_;  // its streams are used with mutex_ held
  std::atomic<uint64_t> units_{0};
};

// One thread's part of the measuring: gathers, and hands over in one go. What is left is handed over at the end of its
// life. Owned by one thread.
class EngineLog {
 public:
  explicit EngineLog(EngineMeter* shared) : shared_(shared) { pending_.reserve(kBatch); }
  EngineLog(const EngineLog&) = delete;
  EngineLog& operator=(const EngineLog&) = delete;
  ~EngineLog() { HandOver(); }

  // `now_ns` is a recent clock reading.
  void Add(arena::Stream stream, uint64_t ns, uint64_t now_ns) {
    pending_.push_back({stream, ns});
    if (pending_.size() == kBatch || now_ns - handed_over_ns_ > kPeriodNs) HandOver(now_ns);
  }
  void CountUnit() { ++units_; }

 private:
  static constexpr size_t kBatch = 512;
  static constexpr uint64_t kPeriodNs = 20'000'000;

  void HandOver(uint64_t now_ns = 0) {
    shared_->Offer(pending_);
    shared_->AddUnits(units_);
    pending_.clear();
    units_ = 0;
    handed_over_ns_ = now_ns;
  }

  EngineMeter* const shared_;
  std::vector<EngineMeter::Sample> pending_;
  uint64_t units_ = 0;
  uint64_t handed_over_ns_ = 0;
};

// Owns the threads: the destructor joins them. They must end by themselves when the pool stops.
class EngineThreads {
 public:
  EngineThreads() = default;
  EngineThreads(const EngineThreads&) = delete;
  EngineThreads& operator=(const EngineThreads&) = delete;
  ~EngineThreads() { Join(); }

  // Starts one more, with all signals blocked, so that those for the worker reach the worker.
  absl::Status Start(std::function<void()> body);
  void Join();

 private:
  std::vector<std::thread> threads_;
};

// A step that runs threads: its first iteration starts them, each is a tenth of a second of theirs, and the stop joins
// them.
class EngineStep : public Step {
 public:
  StepResult Run(Meter& meter) final;

 protected:
  // Starts the threads, which measure into `shared`.
  virtual absl::Status Begin(EngineMeter* shared, EngineThreads* threads) = 0;

  // Derived destructors call it first: threads use what derived classes own.
  void JoinThreads() { threads_.Join(); }

 private:
  std::unique_ptr<EngineMeter> shared_;
  EngineThreads threads_;
};

// CPUs that the caller may run on.
uint32_t OwnCpuCount();

// How long threads may take to end after a stop.
inline constexpr absl::Duration kEngineDrainBound = absl::Seconds(1);

}  // namespace muster

#endif  // MUSTER_WORKER_PARTS_ENGINE_H_
