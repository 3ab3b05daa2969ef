// Spins for a while, then sleeps for a while: the load that makes a scheduler's utilisation signal rise and decay.
#include "worker/core/blocking.h"
#include "worker/core/work_type.h"
#include "worker/parts/params.h"
#include "worker/parts/sleep.h"
#include "worker/parts/spin.h"

namespace muster {
namespace {

class BurstyStep final : public Step {
 public:
  BurstyStep(uint64_t burst_ns, uint64_t sleep_ns) : burst_ns_(burst_ns), sleep_ns_(sleep_ns) {}

  StepResult Run(Meter& meter) override {
    SpinUntil(meter, 1024, MonotonicNs() + burst_ns_);
    return SleepSampled(meter, sleep_ns_) ? StepResult::kContinue : StepResult::kAbandon;
  }

 private:
  const uint64_t burst_ns_;
  const uint64_t sleep_ns_;
};

class BurstyType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "Bursts of spinning with sleeps between: utilisation that rises and decays.",
            .units_per_iteration = "n * 1024 (as many batches as the burst has room for)"};
  }
  uint32_t Streams(const v1::Work&) const override { return kWakeSamples; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace&, Plumbing&) const override {
    return std::make_unique<BurstyStep>(DurationNs(work.bursty().burst_duration()),
                                        DurationNs(work.bursty().sleep_duration()));
  }
};

MUSTER_WORK_TYPE(kBursty, BurstyType);

}  // namespace
}  // namespace muster
