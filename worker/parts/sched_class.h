// Scheduling classes that a work type takes for itself.
#ifndef MUSTER_WORKER_PARTS_SCHED_CLASS_H_
#define MUSTER_WORKER_PARTS_SCHED_CLASS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "muster/v1/work.pb.h"
#include "worker/core/sched_attr.h"
#include "worker/meter/meter.h"

namespace muster {

// Of the calling thread. Errors name the class.
absl::StatusOr<SchedAttr> GetSchedAttributes();
absl::Status SetSchedAttributes(const SchedAttr& attributes);

// With the nice value that the caller has.
SchedAttr OrdinaryAttributes(uint32_t policy);
SchedAttr RealTimeAttributes(uint32_t policy, uint32_t priority);
SchedAttr FifoAttributes(uint32_t priority);
SchedAttr AttributesOf(v1::SchedClass sched_class);

// Takes a class for the calling worker, real-time priorities up to max_rt_priority (0: none at all). What it did not
// get goes into its report (sched_policy_error); after a failure it runs on as it is.
void TakeSchedClass(Meter& meter, const SchedAttr& attributes, uint32_t max_rt_priority);

// The caller has CAP_SYS_NICE. A cgroup of version 1 without real-time budget refuses real-time classes all the same.
bool MayRunRealTime();

// What a type that needs real-time classes says of that need.
inline constexpr char kRealTimeNeed[] = "CAP_SYS_NICE";

}  // namespace muster

#endif  // MUSTER_WORKER_PARTS_SCHED_CLASS_H_
