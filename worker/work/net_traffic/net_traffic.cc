// Sends raw frames: the transmit path, and the interrupts and softirqs behind it.
#include "worker/core/work_type.h"
#include "worker/parts/frame_sender.h"

namespace muster {
namespace {

class NetTrafficType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "Sends raw Ethernet frames to itself: transmit, interrupts, softirqs.",
            .units_per_iteration = "1",
            .needs = FrameNeeds()};
  }
  uint32_t Streams(const v1::Work&) const override { return kNoSamples; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace&, Plumbing&) const override {
    const v1::NetTraffic& params = work.net_traffic();
    return std::make_unique<FrameSenderStep>(
        RawFrames::Open(params.interface(), RawFrames::Direction::kSend, params.frame_bytes()),
        params.interval_us() * 1000);
  }
};

MUSTER_WORK_TYPE(kNetTraffic, NetTrafficType);

}  // namespace
}  // namespace muster
