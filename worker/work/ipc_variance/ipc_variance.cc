// Alternates between arithmetic and cache misses: load whose IPC swings, while its utilisation does not.
#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "worker/core/work_type.h"
#include "worker/parts/alu.h"
#include "worker/parts/cost_clock.h"
#include "worker/parts/memory_region.h"

namespace muster {
namespace {

constexpr uint64_t kBufferWords = 512 * 1024 / sizeof(uint64_t);
// Steps between two looks at the stop word.
constexpr uint64_t kSlice = 65'536;

class IpcVarianceStep final : public Step {
 public:
  IpcVarianceStep(MemoryRegion buffer, const v1::IpcVariance& params)
      : buffer_(std::move(buffer)),
        hot_(params.hot_iters()),
        cold_(params.cold_iters()),
        pairs_(params.period_iters()) {}

  // A period that the stop cuts short has no cost.
  StepResult Run(Meter& meter) override {
    cost_.Begin();
    for (uint64_t pair = 0; pair < pairs_; ++pair) {
      InSlices(meter, hot_, [this](uint64_t n) { chains_(state_, n); });
      InSlices(meter, cold_, [this, &meter](uint64_t n) { Touch(meter, n); });
      if (meter.stopping()) return StepResult::kContinue;
    }
    cost_.End(meter);
    return StepResult::kContinue;
  }

 private:
  template <typename Work>
  void InSlices(Meter& meter, uint64_t n, const Work& work) {
    while (n != 0 && !meter.stopping()) {
      const uint64_t slice = std::min(n, kSlice);
      work(slice);
      meter.AddUnits(slice);
      n -= slice;
    }
  }

  void Touch(Meter& meter, uint64_t n) {
    volatile uint64_t* const words = reinterpret_cast<volatile uint64_t*>(buffer_.data());
    for (; n != 0; --n) {
      volatile uint64_t& word = words[meter.Random() % kBufferWords];
      word = word + 1;
    }
  }

  MemoryRegion buffer_;
  const uint64_t hot_;
  const uint64_t cold_;
  const uint64_t pairs_;
  const AluFunction chains_ = AluChains(v1::SCALAR);
  AluState state_;
  CostClock cost_;
};

class IpcVarianceType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "Swings between high and low IPC at full utilisation.", .units_per_iteration = "64 * 101024"};
  }
  uint32_t Streams(const v1::Work&) const override { return kCostSamples; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace&, Plumbing&) const override {
    ASSIGN_OR_RETURN(MemoryRegion buffer, MemoryRegion::Map(kBufferWords * sizeof(uint64_t)));
    return std::make_unique<IpcVarianceStep>(std::move(buffer), work.ipc_variance());
  }
};

MUSTER_WORK_TYPE(kIpcVariance, IpcVarianceType);

}  // namespace
}  // namespace muster
