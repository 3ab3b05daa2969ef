// The steps of Validate that look at one thing each. Errors name the field `field` or one below it.
#ifndef MUSTER_DAEMON_SPEC_VALIDATE_PARTS_H_
#define MUSTER_DAEMON_SPEC_VALIDATE_PARTS_H_

#include <string>

#include "absl/status/status.h"
#include "base/cpu_set.h"
#include "daemon/spec/validate.h"
#include "muster/v1/workload.pb.h"

namespace muster {

// An affinity that is present. CPUs must be among `online`.
absl::Status CheckAffinity(const v1::Affinity& affinity, const CpuSet& online, const std::string& field);

// A scheduling policy that is present. Real-time priorities end at `max_rt_priority`.
absl::Status CheckSchedPolicy(const v1::SchedPolicy& policy, int64_t max_rt_priority, const std::string& field);

// A memory policy that is present.
absl::Status CheckMemPolicy(const v1::MemPolicy& policy, const std::string& field);

// A work that is present, in a pool that is one process or not.
struct WorkContext {
  bool one_process = false;
  bool allow_exec = false;
};
absl::Status CheckWork(const v1::Work& work, const WorkContext& context, const std::string& field);

// Name of a task: 1 to 15 bytes, no NUL.
absl::Status CheckTaskName(const std::string& name, const std::string& field);

// A user or group id: not the number that means "leave it".
absl::Status CheckId(uint32_t id, const std::string& field);

}  // namespace muster

#endif  // MUSTER_DAEMON_SPEC_VALIDATE_PARTS_H_
