// Sleeps to absolute deadlines and measures how late it wakes; a late wake does not move the deadlines after it, so
// that none is left out of the measurement.
#include "worker/core/work_type.h"
#include "worker/meter/meter.h"
#include "worker/parts/sleep.h"

namespace muster {
namespace {

class TimerLatencyStep final : public Step {
 public:
  explicit TimerLatencyStep(uint64_t interval_ns) : interval_ns_(interval_ns) {}

  StepResult Run(Meter& meter) override {
    if (deadline_ns_ == 0) woken_ns_ = deadline_ns_ = MonotonicNs();
    deadline_ns_ += interval_ns_;
    if (!SleepWanted(meter, woken_ns_, deadline_ns_)) return StepResult::kAbandon;
    woken_ns_ = MonotonicNs();
    meter.TimerSample(woken_ns_ > deadline_ns_ ? woken_ns_ - deadline_ns_ : 0);
    return StepResult::kContinue;
  }

 private:
  const uint64_t interval_ns_;
  uint64_t deadline_ns_ = 0;
  uint64_t woken_ns_ = 0;
};

class TimerLatencyType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "Wakes at absolute deadlines: lateness of timers and of the dispatch after them.",
            .units_per_iteration = "0"};
  }
  uint32_t Streams(const v1::Work&) const override { return kTimerSamples; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace&, Plumbing&) const override {
    return std::make_unique<TimerLatencyStep>(work.timer_latency().interval_us() * 1000);
  }
};

MUSTER_WORK_TYPE(kTimerLatency, TimerLatencyType);

}  // namespace
}  // namespace muster
