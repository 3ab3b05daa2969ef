// The phases of a Sequence.
#ifndef MUSTER_WORKER_WORK_SEQUENCE_PHASES_H_
#define MUSTER_WORKER_WORK_SEQUENCE_PHASES_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "muster/v1/work.pb.h"
#include "worker/meter/meter.h"

namespace muster {

// One phase of one worker.
class PhaseRunner {
 public:
  virtual ~PhaseRunner() = default;

  // Runs the phase once; sooner when the pool stops.
  virtual void Run(Meter& meter) = 0;
};

// Streams that a phase fills; one of no duration fills none.
uint32_t PhaseStreams(const v1::Phase& phase);

// A kind is set, its duration is between zero and an hour, its width is known. The message begins with the field.
absl::Status ValidatePhase(const v1::Phase& phase);

// Needs a valid phase.
absl::StatusOr<std::unique_ptr<PhaseRunner>> MakePhase(const v1::Phase& phase);

}  // namespace muster

#endif  // MUSTER_WORKER_WORK_SEQUENCE_PHASES_H_
