// PipeIo: pairs that pass a byte through two pipes. One iteration: spin, write one byte to the partner, read one from
// it.
#include <utility>

#include "worker/core/work_type.h"
#include "worker/meter/meter.h"
#include "worker/parts/pipe_exchange.h"

namespace muster {
namespace {

class PipeIoStep : public Step {
 public:
  PipeIoStep(uint64_t burst_iters, PipeExchange exchange) : burst_iters_(burst_iters), exchange_(std::move(exchange)) {}

  StepResult Run(Meter& meter) override {
    meter.SpinBurst(burst_iters_);
    return exchange_.Swap(meter) ? StepResult::kContinue : StepResult::kAbandon;
  }

 private:
  const uint64_t burst_iters_;
  PipeExchange exchange_;
};

class PipeIoType : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    WorkTypeDescription description;
    description.summary =
        "Wakes a partner and blocks on it through pipes: synchronous wakeups, one runnable task per pair.";
    description.units_per_iteration = "1024";
    return description;
  }

  uint32_t Streams(const v1::Work&) const override { return kWakeSamples; }
  uint32_t GroupSize(const v1::Work&) const override { return 2; }
  PlumbingRequest Plumb(const v1::Work&) const override { return {.pipes = 2}; }

  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace& place,
                                                 Plumbing& plumbing) const override {
    return std::make_unique<PipeIoStep>(work.pipe_io().burst_iters(),
                                        PipeExchange(place.position, std::move(plumbing.pipes)));
  }
};

MUSTER_WORK_TYPE(kPipeIo, PipeIoType);

}  // namespace
}  // namespace muster
