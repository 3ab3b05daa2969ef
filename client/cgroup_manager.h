// Making and removing cgroups at the daemon.
#ifndef MUSTER_CLIENT_CGROUP_MANAGER_H_
#define MUSTER_CLIENT_CGROUP_MANAGER_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/call_options.h"
#include "client/client.h"
#include "muster/v1/muster.pb.h"

namespace muster {

// How long a cgroup stays that nobody removes.
enum class CgroupLifetime {
  // Until the client's lease ends.
  kLease,
  // For good.
  kKept,
};

// Cgroups that outlive a scope: this object removes nothing by itself. Keeps the client's lease alive. Copyable,
// thread-safe.
class CgroupManager {
 public:
  explicit CgroupManager(const Client& client) : session_(client.session_) {}

  // Names are relative to the instance's workload root. Making one again with the same settings succeeds.
  absl::StatusOr<v1::CreateCgroupResponse> Create(const v1::CgroupSpec& spec,
                                                  CgroupLifetime lifetime = CgroupLifetime::kLease,
                                                  CallOptions options = {}) const;

  // Kills what is inside and removes it. NOT_FOUND: there is none.
  absl::Status Remove(absl::string_view name, CallOptions options = {}) const;

 private:
  std::shared_ptr<Session> session_;
};

}  // namespace muster

#endif  // MUSTER_CLIENT_CGROUP_MANAGER_H_
