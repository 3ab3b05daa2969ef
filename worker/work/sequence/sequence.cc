// Phases one after the other: a load whose shape a user composes.
#include <sched.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "worker/core/work_type.h"
#include "worker/work/sequence/phases.h"

namespace muster {
namespace {

class SequenceStep final : public Step {
 public:
  explicit SequenceStep(std::vector<std::unique_ptr<PhaseRunner>> phases) : phases_(std::move(phases)) {}

  // A pass that a stop cuts short is none.
  StepResult Run(Meter& meter) override {
    for (const std::unique_ptr<PhaseRunner>& phase : phases_) {
      phase->Run(meter);
      if (meter.stopping()) return StepResult::kAbandon;
    }
    return StepResult::kContinue;
  }

 private:
  const std::vector<std::unique_ptr<PhaseRunner>> phases_;
};

class SequenceType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {
        .summary = "Phases of spinning, sleeping, yielding, writing and arithmetic, in the order that the user states.",
        .units_per_iteration =
            "the sum over the phases: 1024 per batch of spin or alu_hot, 1 per yield, 16 per round of io"};
  }
  uint32_t Streams(const v1::Work& work) const override {
    uint32_t streams = kNoSamples;
    for (const v1::Phase& phase : work.sequence().phases()) streams |= PhaseStreams(phase);
    return streams;
  }
  uint32_t StreamsOfSomeParameters() const override { return kWakeSamples | kCostSamples; }
  absl::Status Validate(const v1::Work& work) const override {
    if (work.sequence().phases().empty()) return absl::InvalidArgumentError("phases: at least one is needed");
    for (int i = 0; i < work.sequence().phases_size(); ++i) {
      const absl::Status status = ValidatePhase(work.sequence().phases(i));
      if (!status.ok()) {
        const std::string message(status.message().data(), status.message().size());
        return absl::InvalidArgumentError(absl::StrCat("phases[", i, "].", message));
      }
    }
    return absl::OkStatus();
  }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace&, Plumbing&) const override {
    std::vector<std::unique_ptr<PhaseRunner>> phases;
    for (const v1::Phase& phase : work.sequence().phases()) {
      ASSIGN_OR_RETURN(std::unique_ptr<PhaseRunner> runner, MakePhase(phase));
      phases.push_back(std::move(runner));
    }
    return std::make_unique<SequenceStep>(std::move(phases));
  }
};

MUSTER_WORK_TYPE(kSequence, SequenceType);

}  // namespace
}  // namespace muster
