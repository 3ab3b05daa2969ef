// PipeIo: pairs that pass a byte through two pipes. One iteration: spin, write one byte to the partner, read one from it.
#include "base/clock.h"
#include "worker/core/blocking.h"
#include "worker/core/work_type.h"
#include "worker/meter/meter.h"

namespace muster {
namespace {

// Position p reads pipe p and writes the other one. Both ends of both stay open in both members: when the partner is dead,
// the reader blocks until the stop, instead of spinning on an end of file or dying of SIGPIPE.
class PipeIoStep : public Step {
 public:
  PipeIoStep(uint64_t burst_iters, uint32_t position, std::vector<Plumbing::Pipe> pipes)
      : burst_iters_(burst_iters),
        pipes_(std::move(pipes)),
        read_fd_(pipes_[position].read_end.get()),
        write_fd_(pipes_[1 - position].write_end.get()) {}

  StepResult Run(Meter& meter) override {
    meter.SpinBurst(burst_iters_);
    const uint64_t written_ns = MonotonicNs();
    char byte = 0;
    if (!WriteByte(meter, write_fd_, byte) || !ReadByte(meter, read_fd_, &byte)) return StepResult::kAbandon;
    const uint64_t now_ns = MonotonicNs();
    meter.WakeSample(now_ns - written_ns);
    meter.RestartGap(now_ns);
    return StepResult::kContinue;
  }

 private:
  const uint64_t burst_iters_;
  const std::vector<Plumbing::Pipe> pipes_;
  const int read_fd_;
  const int write_fd_;
};

class PipeIoType : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    WorkTypeDescription description;
    description.summary = "Wakes a partner and blocks on it through pipes: synchronous wakeups, one runnable task per pair.";
    description.units_per_iteration = "1024";
    return description;
  }

  uint32_t Streams(const v1::Work&) const override { return kWakeSamples; }
  uint32_t GroupSize(const v1::Work&) const override { return 2; }
  PlumbingRequest Plumb(const v1::Work&) const override { return {.pipes = 2}; }

  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace& place,
                                                 Plumbing& plumbing) const override {
    return std::make_unique<PipeIoStep>(work.pipe_io().burst_iters(), place.position, std::move(plumbing.pipes));
  }
};

MUSTER_WORK_TYPE(kPipeIo, PipeIoType);

}  // namespace
}  // namespace muster
