// What NetTraffic and the sender of IrqWake do.
#ifndef MUSTER_WORKER_PARTS_FRAME_SENDER_H_
#define MUSTER_WORKER_PARTS_FRAME_SENDER_H_

#include <sched.h>

#include <cerrno>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/errno_status.h"
#include "worker/core/work_type.h"
#include "worker/meter/meter.h"
#include "worker/parts/raw_frames.h"
#include "worker/parts/sleep.h"

namespace muster {

// One iteration: send a frame, sleep. Without an interface it yields, counts no units, and says why in the report; so
// it does when a frame is refused.
class FrameSenderStep final : public Step {
 public:
  FrameSenderStep(absl::StatusOr<RawFrames> frames, uint64_t interval_ns)
      : frames_(std::move(frames)), interval_ns_(interval_ns) {}

  StepResult Run(Meter& meter) override {
    if (!frames_.ok()) {
      meter.SetNoopReason(frames_.status().message());
      sched_yield();
      return StepResult::kContinue;
    }
    SendOne(meter);
    if (interval_ns_ == 0) return StepResult::kContinue;
    return SleepWantedFor(meter, interval_ns_) ? StepResult::kContinue : StepResult::kAbandon;
  }

 private:
  void SendOne(Meter& meter) {
    const int error = frames_->Send();
    if (error == 0) return meter.AddUnits(1);
    // Those three pass: a full queue, or a signal.
    if (error != EAGAIN && error != EINTR && error != ENOBUFS) {
      const absl::Status status = ErrnoStatus(error, "sending a frame");
      meter.SetNoopReason(status.message());
    }
    sched_yield();
  }

  const absl::StatusOr<RawFrames> frames_;
  const uint64_t interval_ns_;
};

// What both types need.
inline std::vector<Need> FrameNeeds() {
  return {
      {.need = "CAP_NET_RAW", .met = MaySendRawFrames(), .otherwise = "yields; no units"},
      {.need = "a network interface with a device", .met = FirstNetworkDevice().ok(), .otherwise = "yields; no units"}};
}

}  // namespace muster

#endif  // MUSTER_WORKER_PARTS_FRAME_SENDER_H_
