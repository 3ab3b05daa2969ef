// Scheduling classes that a work type takes for itself.
#ifndef MUSTER_WORKER_PARTS_SCHED_CLASS_H_
#define MUSTER_WORKER_PARTS_SCHED_CLASS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "muster/v1/work.pb.h"
#include "worker/meter/meter.h"

namespace muster {

// Class and parameters of a thread, as sched_setattr(2) takes them.
struct SchedAttributes {
  uint32_t policy = 0;    // SCHED_*
  int32_t nice = 0;       // of OTHER and BATCH
  uint32_t priority = 0;  // of FIFO and RR
  uint64_t runtime_ns = 0;
  uint64_t deadline_ns = 0;
  uint64_t period_ns = 0;
};

// Of the calling thread. Errors name the class.
absl::StatusOr<SchedAttributes> GetSchedAttributes();
absl::Status SetSchedAttributes(const SchedAttributes& attributes);

SchedAttributes FifoAttributes(uint32_t priority);
SchedAttributes AttributesOf(v1::SchedClass sched_class);

// Takes a class for the calling worker; a failure goes into its report (sched_policy_error), and it runs on as it is.
void TakeSchedClass(Meter& meter, const SchedAttributes& attributes);

// True when an ordinary task of this process may become a real-time one.
bool MayRunRealTime();

// What a type that needs real-time classes says of that need.
inline constexpr char kRealTimeNeed[] = "CAP_SYS_NICE";

}  // namespace muster

#endif  // MUSTER_WORKER_PARTS_SCHED_CLASS_H_
