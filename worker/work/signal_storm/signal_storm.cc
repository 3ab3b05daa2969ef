// Pairs that send each other signals: delivery, and the wake-ups and reschedules that come with it.
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "worker/core/work_type.h"
#include "worker/parts/futex.h"

namespace muster {
namespace {

// SIGUSR1 is the stop's.
constexpr int kSignal = SIGUSR2;

void Ignore(int) {}

// Who the members are; a slot is filled when its owner can take signals.
struct Slots {
  std::atomic<uint32_t> pid[2];
  std::atomic<int32_t> tid[2];
};

class SignalStormStep final : public Step {
 public:
  SignalStormStep(Slots* slots, uint32_t position, const v1::SignalStorm& params)
      : slots_(slots), own_(position), signals_(params.signals_per_iter()), work_iters_(params.work_iters()) {}

  StepResult Run(Meter& meter) override {
    if (!began_ && !Begin(meter)) return StepResult::kAbandon;
    SendSignals(meter);
    meter.SpinBurst(work_iters_);
    return StepResult::kContinue;
  }

 private:
  // Tells who it is, and waits to know the partner.
  bool Begin(Meter& meter) {
    began_ = true;
    struct sigaction action = {};
    action.sa_handler = Ignore;
    action.sa_flags = SA_RESTART;
    sigaction(kSignal, &action, nullptr);
    slots_->tid[own_].store(static_cast<int32_t>(syscall(SYS_gettid)), std::memory_order_relaxed);
    // Release: whoever sees the process sees the thread.
    slots_->pid[own_].store(static_cast<uint32_t>(getpid()), std::memory_order_release);
    arena::FutexWake(&slots_->pid[own_], 1);
    if (!WaitWanted(meter, slots_->pid[1 - own_], 0)) return false;
    const pid_t partner = static_cast<pid_t>(slots_->pid[1 - own_].load(std::memory_order_acquire));
    same_process_ = partner == getpid();
    if (!same_process_) pidfd_.Reset(static_cast<int>(syscall(SYS_pidfd_open, partner, 0)));
    return true;
  }

  void SendSignals(Meter& meter) {
    for (uint64_t i = 0; i < signals_ && !meter.stopping(); ++i) {
      Send();
      meter.AddUnits(1);
    }
  }

  // A descriptor of the partner's process, or the own process's number: whoever has taken a dead partner's number over
  // is not hit.
  void Send() {
    if (same_process_) {
      syscall(SYS_tgkill, getpid(), slots_->tid[1 - own_].load(std::memory_order_relaxed), kSignal);
    } else if (pidfd_.valid()) {
      syscall(SYS_pidfd_send_signal, pidfd_.get(), kSignal, nullptr, 0);
    }
  }

  Slots* const slots_;
  const uint32_t own_;
  const uint64_t signals_;
  const uint64_t work_iters_;
  bool began_ = false;
  bool same_process_ = false;
  UniqueFd pidfd_;
};

class SignalStormType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "Pairs that flood each other with signals: delivery and the reschedules behind it.",
            .units_per_iteration = "1040"};
  }
  uint32_t Streams(const v1::Work&) const override { return kNoSamples; }
  uint32_t GroupSize(const v1::Work&) const override { return 2; }
  PlumbingRequest Plumb(const v1::Work&) const override { return {.memory_bytes = sizeof(Slots)}; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace& place,
                                                 Plumbing& plumbing) const override {
    return std::make_unique<SignalStormStep>(SharedAt<Slots>(plumbing), place.position, work.signal_storm());
  }
};

MUSTER_WORK_TYPE(kSignalStorm, SignalStormType);

}  // namespace
}  // namespace muster
