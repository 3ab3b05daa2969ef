// Plumbing of a group instance in a test, as the pool host makes it.
#ifndef MUSTER_WORKER_WORK_TESTING_TEST_PLUMBING_H_
#define MUSTER_WORKER_WORK_TESTING_TEST_PLUMBING_H_

#include "absl/status/status.h"
#include "muster/v1/work.pb.h"
#include "worker/core/work_type.h"

namespace muster {

// Makes what the type asks for; whoever owns `plumbing` unmaps its memory.
absl::Status MakePlumbing(const WorkType& type, const v1::Work& work, Plumbing* plumbing);

// Descriptors of a member's own; the memory is common to the instance.
Plumbing Duplicate(const Plumbing& plumbing);

}  // namespace muster

#endif  // MUSTER_WORKER_WORK_TESTING_TEST_PLUMBING_H_
