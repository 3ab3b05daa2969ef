// Looking at a daemon, and acting on what others made there.
#ifndef MUSTER_CLIENT_OPERATOR_H_
#define MUSTER_CLIENT_OPERATOR_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/call_options.h"
#include "client/connection.h"
#include "client/remote_pool.h"
#include "muster/v1/muster.pb.h"

namespace muster {

// A connection without a lease. It owns nothing, so nothing ends with it. Copyable, thread-safe.
class Operator {
 public:
  static absl::StatusOr<Operator> Connect(absl::string_view address, CallOptions options = {},
                                          ConnectionOptions connection = {});

  absl::StatusOr<v1::GetServerInfoResponse> ServerInfo(CallOptions options = {}) const;

  // Every pool that the daemon knows, oldest first.
  absl::StatusOr<v1::ListPoolsResponse> ListPools(CallOptions options = {}) const;

  // One pool with its resolved spec. NOT_FOUND: there is none; UNIMPLEMENTED: the daemon is too old to tell specs.
  absl::StatusOr<v1::PoolInfo> DescribePool(absl::string_view pool_id, CallOptions options = {}) const;

  // The pool of that id, whoever owns it; asks nobody whether there is one.
  RemotePool Pool(std::string pool_id) const;

  // Kills what is inside and removes the cgroup, whoever owns it.
  absl::StatusOr<v1::RemoveCgroupResponse> RemoveCgroup(absl::string_view name, CallOptions options = {}) const;

 private:
  explicit Operator(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  std::shared_ptr<Connection> connection_;
};

}  // namespace muster

#endif  // MUSTER_CLIENT_OPERATOR_H_
