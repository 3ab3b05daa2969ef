// Takes another nice value at every iteration: re-weighting of a running task.
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/errno_status.h"
#include "worker/core/work_type.h"
#include "worker/parts/sched_class.h"
#include "worker/parts/spin.h"

namespace muster {
namespace {

constexpr int kLowestNice = -20;
constexpr int kHighestNice = 19;

class NiceSweepStep final : public Step {
 public:
  // Leaves the nice value that it found.
  ~NiceSweepStep() override {
    if (tid_ != 0) setpriority(PRIO_PROCESS, tid_, first_);
  }

  StepResult Run(Meter& meter) override {
    if (tid_ == 0) Begin(meter);
    meter.SpinBurst(512);
    // The raw value: setpriority of PRIO_PROCESS and a thread id changes that thread only.
    setpriority(PRIO_PROCESS, tid_, next_);
    next_ = next_ == kHighestNice ? lowest_ : next_ + 1;
    YieldSampled(meter);
    return StepResult::kContinue;
  }

 private:
  // Finds out how low this task may go.
  void Begin(Meter& meter) {
    tid_ = static_cast<pid_t>(syscall(SYS_gettid));
    first_ = getpriority(PRIO_PROCESS, tid_);
    if (setpriority(PRIO_PROCESS, tid_, kLowestNice) == 0) {
      lowest_ = kLowestNice;
    } else {
      const absl::Status status = ErrnoStatus(errno, absl::StrCat("setpriority to ", kLowestNice));
      meter.SetSetupError(arena::kSetNice, status.message());
    }
    next_ = lowest_;
  }

  id_t tid_ = 0;
  int first_ = 0;
  int lowest_ = 0;
  int next_ = 0;
};

class NiceSweepType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "Sweeps its own nice value from -20 to 19: re-weighting of a running task.",
            .units_per_iteration = "512",
            .needs = {{.need = kRealTimeNeed, .met = MayRunRealTime(), .otherwise = "sweeps from 0 to 19"}}};
  }
  uint32_t Streams(const v1::Work&) const override { return kWakeSamples; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work&, const WorkerPlace&, Plumbing&) const override {
    return std::make_unique<NiceSweepStep>();
  }
};

MUSTER_WORK_TYPE(kNiceSweep, NiceSweepType);

}  // namespace
}  // namespace muster
