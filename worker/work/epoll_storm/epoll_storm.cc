// Producers and consumers of one eventfd through one epoll instance: several waiters for every event, and one that gets
// it.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/clock.h"
#include "base/errno_status.h"
#include "worker/core/work_type.h"
#include "worker/meter/meter.h"
#include "worker/parts/sleep.h"

namespace muster {
namespace {

constexpr uint64_t kAfterEvent = 256;
constexpr int kWaitMs = 100;

// The pool host makes both before it makes the workers, so that separate processes share them too.
enum Descriptor : size_t { kEventFd, kEpollFd };

class ProducerStep final : public Step {
 public:
  ProducerStep(UniqueFd event, uint64_t burst, uint64_t pause_ns)
      : event_(std::move(event)), burst_(burst), pause_ns_(pause_ns) {}

  StepResult Run(Meter& meter) override {
    const uint64_t one = 1;
    for (uint64_t i = 0; i < burst_ && !meter.stopping(); ++i) {
      // The counter takes 2^64 - 2 events; a full one refuses, as the descriptor does not block.
      if (write(event_.get(), &one, sizeof(one)) == sizeof(one)) meter.AddUnits(1);
    }
    if (pause_ns_ == 0) return StepResult::kContinue;
    return SleepWantedFor(meter, pause_ns_) ? StepResult::kContinue : StepResult::kAbandon;
  }

 private:
  const UniqueFd event_;
  const uint64_t burst_;
  const uint64_t pause_ns_;
};

class ConsumerStep final : public Step {
 public:
  ConsumerStep(UniqueFd event, UniqueFd epoll) : event_(std::move(event)), epoll_(std::move(epoll)) {}

  // A consumer that another was faster than waits on.
  StepResult Run(Meter& meter) override {
    const uint64_t before_ns = MonotonicNs();
    while (!TakeEvents()) {
      if (!meter.stopping()) continue;
      meter.EndCutWait(before_ns);
      return StepResult::kAbandon;
    }
    const uint64_t now_ns = MonotonicNs();
    meter.WakeSample(now_ns - before_ns);
    meter.EndWait(before_ns, now_ns);
    meter.SpinBurst(kAfterEvent);
    return StepResult::kContinue;
  }

 private:
  bool TakeEvents() {
    epoll_event event;
    if (epoll_wait(epoll_.get(), &event, 1, kWaitMs) != 1) return false;
    uint64_t count = 0;
    return read(event_.get(), &count, sizeof(count)) == sizeof(count);
  }

  const UniqueFd event_;
  const UniqueFd epoll_;
};

class EpollStormType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "Producers and consumers of one eventfd through one epoll: several wake, one wins.",
            .units_per_iteration = "32 (consumers: 256)",
            .group_size_rule = "producers + consumers"};
  }
  uint32_t Streams(const v1::Work&) const override { return kWakeSamples; }
  uint32_t GroupSize(const v1::Work& work) const override {
    return work.epoll_storm().producers() + work.epoll_storm().consumers();
  }
  absl::Status PlumbMore(const v1::Work&, Plumbing* plumbing) const override {
    UniqueFd event(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
    if (!event.valid() || !epoll.valid()) return ErrnoStatus(errno, "eventfd and epoll_create1 between workers");
    epoll_event interest = {.events = EPOLLIN, .data = {.u64 = 0}};
    if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, event.get(), &interest) != 0) {
      return ErrnoStatus(errno, "epoll_ctl of the eventfd between workers");
    }
    plumbing->descriptors.push_back(std::move(event));
    plumbing->descriptors.push_back(std::move(epoll));
    return absl::OkStatus();
  }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace& place,
                                                 Plumbing& plumbing) const override {
    const v1::EpollStorm& params = work.epoll_storm();
    UniqueFd event = std::move(plumbing.descriptors[kEventFd]);
    if (place.position < params.producers()) {
      return std::make_unique<ProducerStep>(std::move(event), params.events_per_burst(), params.pause_us() * 1000);
    }
    return std::make_unique<ConsumerStep>(std::move(event), std::move(plumbing.descriptors[kEpollFd]));
  }
};

MUSTER_WORK_TYPE(kEpollStorm, EpollStormType);

}  // namespace
}  // namespace muster
