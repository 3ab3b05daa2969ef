// Pipes and memory of a group instance.
#ifndef MUSTER_WORKER_HOST_PLUMBER_H_
#define MUSTER_WORKER_HOST_PLUMBER_H_

#include "absl/status/statusor.h"
#include "worker/core/work_type.h"
#include "worker/host/pool.h"

namespace muster::host {

// Plumbing of one instance; closes its descriptors and unmaps its memory when destroyed. Move-only.
class InstancePlumbing {
 public:
  // Makes what the group's type asks for. Errors name the call.
  static absl::StatusOr<InstancePlumbing> Make(const PoolGroup& group);

  InstancePlumbing() = default;
  InstancePlumbing(InstancePlumbing&& other) noexcept;
  InstancePlumbing& operator=(InstancePlumbing&& other) noexcept;
  ~InstancePlumbing();

  const Plumbing& get() const { return plumbing_; }
  // Gives the descriptors away; the memory stays mapped for good. For the process that keeps it.
  Plumbing Take() &&;
  // The same plumbing with descriptors of its own, for one thread of several.
  absl::StatusOr<Plumbing> Copy() const;
  // Leaves the memory mapped when destroyed.
  void KeepMemory() { plumbing_.memory = nullptr; }

 private:
  Plumbing plumbing_;
};

}  // namespace muster::host

#endif  // MUSTER_WORKER_HOST_PLUMBER_H_
