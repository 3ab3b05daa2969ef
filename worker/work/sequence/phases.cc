#include "worker/work/sequence/phases.h"

#include <sched.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/unique_fd.h"
#include "worker/core/blocking.h"
#include "worker/core/work_type.h"
#include "worker/parts/alu.h"
#include "worker/parts/cost_clock.h"
#include "worker/parts/io_file.h"
#include "worker/parts/params.h"
#include "worker/parts/sleep.h"
#include "worker/parts/spin.h"

namespace muster {
namespace {

constexpr uint64_t kMaxPhaseNs = 3'600'000'000'000;
constexpr uint64_t kYieldsPerLook = 64;
constexpr int kBlocksPerRound = 16;
constexpr size_t kBlockBytes = 4096;
constexpr uint64_t kIoPauseNs = 100'000;

class SpinPhase final : public PhaseRunner {
 public:
  explicit SpinPhase(uint64_t ns) : ns_(ns) {}
  void Run(Meter& meter) override { SpinUntil(meter, 1024, MonotonicNs() + ns_); }

 private:
  const uint64_t ns_;
};

class SleepPhase final : public PhaseRunner {
 public:
  explicit SleepPhase(uint64_t ns) : ns_(ns) {}
  void Run(Meter& meter) override { SleepSampled(meter, ns_); }

 private:
  const uint64_t ns_;
};

class YieldPhase final : public PhaseRunner {
 public:
  explicit YieldPhase(uint64_t ns) : ns_(ns) {}
  void Run(Meter& meter) override {
    const uint64_t until_ns = MonotonicNs() + ns_;
    for (uint64_t now_ns = MonotonicNs(); !meter.stopping() && now_ns < until_ns; now_ns = MonotonicNs()) {
      meter.MarkRunning(now_ns);
      // Among many runnable tasks each yield takes long.
      for (uint64_t i = 0; i < kYieldsPerLook && !meter.stopping(); ++i) {
        YieldSampled(meter);
        meter.AddUnits(1);
      }
    }
  }

 private:
  const uint64_t ns_;
};

class IoPhase final : public PhaseRunner {
 public:
  IoPhase(uint64_t ns, UniqueFd file) : ns_(ns), file_(std::move(file)), block_(kBlockBytes) {}
  void Run(Meter& meter) override {
    const uint64_t until_ns = MonotonicNs() + ns_;
    while (!meter.stopping() && MonotonicNs() < until_ns) {
      if (!WriteRound()) meter.SetNoopReason("an io phase could not write its temporary file");
      meter.AddUnits(kBlocksPerRound);
      SleepSampled(meter, kIoPauseNs);
    }
  }

 private:
  bool WriteRound() {
    bool good = ftruncate(file_.get(), 0) == 0;
    for (int i = 0; i < kBlocksPerRound; ++i) {
      good &= pwrite(file_.get(), block_.data(), kBlockBytes, static_cast<off_t>(i * kBlockBytes)) == kBlockBytes;
    }
    return good;
  }

  const uint64_t ns_;
  const UniqueFd file_;
  const std::vector<char> block_;
};

class AluPhase final : public PhaseRunner {
 public:
  AluPhase(uint64_t ns, AluFunction chains) : ns_(ns), chains_(chains) {}
  void Run(Meter& meter) override {
    const uint64_t until_ns = MonotonicNs() + ns_;
    uint64_t now_ns = MonotonicNs();
    while (!meter.stopping() && now_ns < until_ns) {
      const uint64_t before_ns = now_ns;
      chains_(state_, 1024);
      meter.AddUnits(1024);
      now_ns = MonotonicNs();
      meter.CostSample(now_ns - before_ns);
      meter.MarkRunning(now_ns);
    }
  }

 private:
  const uint64_t ns_;
  const AluFunction chains_;
  AluState state_;
};

const google::protobuf::Duration& DurationOf(const v1::Phase& phase) {
  switch (phase.kind_case()) {
    case v1::Phase::kSpin:
      return phase.spin().duration();
    case v1::Phase::kSleep:
      return phase.sleep().duration();
    case v1::Phase::kYield:
      return phase.yield().duration();
    case v1::Phase::kIo:
      return phase.io().duration();
    case v1::Phase::kAluHot:
      return phase.alu_hot().duration();
    case v1::Phase::KIND_NOT_SET:
      break;
  }
  return google::protobuf::Duration::default_instance();
}

const char* KindName(const v1::Phase& phase) {
  const google::protobuf::OneofDescriptor* kinds = v1::Phase::descriptor()->oneof_decl(0);
  return phase.GetReflection()->GetOneofFieldDescriptor(phase, kinds)->name().c_str();
}

bool IsDuration(const google::protobuf::Duration& duration) {
  return duration.seconds() >= 0 && duration.seconds() <= 3600 && duration.nanos() >= 0 &&
         duration.nanos() < 1'000'000'000 && DurationNs(duration) <= kMaxPhaseNs;
}

}  // namespace

uint32_t PhaseStreams(const v1::Phase& phase) {
  if (DurationNs(DurationOf(phase)) == 0) return kNoSamples;
  switch (phase.kind_case()) {
    case v1::Phase::kSleep:
    case v1::Phase::kYield:
    case v1::Phase::kIo:
      return kWakeSamples;
    case v1::Phase::kAluHot:
      return kCostSamples;
    default:
      return kNoSamples;
  }
}

absl::Status ValidatePhase(const v1::Phase& phase) {
  if (phase.kind_case() == v1::Phase::KIND_NOT_SET) {
    return absl::InvalidArgumentError("kind: none is set; choose spin, sleep, yield, io or alu_hot");
  }
  if (!IsDuration(DurationOf(phase))) {
    return absl::InvalidArgumentError(absl::StrCat(KindName(phase), ".duration: it is not between 0 and 3600 s"));
  }
  if (phase.has_alu_hot() && phase.alu_hot().has_width() &&
      (phase.alu_hot().width() == v1::ALU_WIDTH_UNSPECIFIED || !v1::AluWidth_IsValid(phase.alu_hot().width()))) {
    return absl::InvalidArgumentError(
        absl::StrCat("alu_hot.width: ", static_cast<int>(phase.alu_hot().width()), " is no width; choose WIDEST"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<PhaseRunner>> MakePhase(const v1::Phase& phase) {
  const uint64_t ns = DurationNs(DurationOf(phase));
  switch (phase.kind_case()) {
    case v1::Phase::kSpin:
      return std::make_unique<SpinPhase>(ns);
    case v1::Phase::kSleep:
      return std::make_unique<SleepPhase>(ns);
    case v1::Phase::kYield:
      return std::make_unique<YieldPhase>(ns);
    case v1::Phase::kIo: {
      ASSIGN_OR_RETURN(UniqueFd file, OpenTemporaryFile(IoDirectory("")));
      return std::make_unique<IoPhase>(ns, std::move(file));
    }
    default: {
      const v1::AluWidth width = phase.alu_hot().has_width() ? phase.alu_hot().width() : v1::WIDEST;
      return std::make_unique<AluPhase>(ns, AluChains(LowerAluWidth(width)));
    }
  }
}

}  // namespace muster
