// The calls about cgroups.
#ifndef MUSTER_DAEMON_SERVICE_CGROUP_HANDLERS_H_
#define MUSTER_DAEMON_SERVICE_CGROUP_HANDLERS_H_

#include "absl/status/status.h"
#include "daemon/service/call_context.h"
#include "daemon/service/service_parts.h"
#include "muster/v1/muster.pb.h"

namespace muster {

// Each does what muster.proto says of the method of its name, within the context's deadline. Any number may run at a
// time.
class CgroupHandlers {
 public:
  // `parts` outlives this object.
  explicit CgroupHandlers(const ServiceParts* parts) : parts_(*parts) {}

  absl::Status CreateCgroup(const v1::CreateCgroupRequest& request, const CallContext& context,
                            v1::CreateCgroupResponse* response) const;
  absl::Status RemoveCgroup(const v1::RemoveCgroupRequest& request, const CallContext& context,
                            v1::RemoveCgroupResponse* response) const;

 private:
  absl::Status CreateOnce(const v1::CreateCgroupRequest& request, const CallContext& context,
                          v1::CreateCgroupResponse* response) const;
  absl::Status RemoveOnce(const v1::RemoveCgroupRequest& request, const CallContext& context,
                          v1::RemoveCgroupResponse* response) const;

  const ServiceParts& parts_;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_SERVICE_CGROUP_HANDLERS_H_
