#include "client/operator.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "client/request_id.h"
#include "client/session.h"

namespace muster {
namespace {

v1::Authority AsOperator() {
  v1::Authority authority;
  authority.set_as_operator(true);
  return authority;
}

}  // namespace

absl::StatusOr<Operator> Operator::Connect(absl::string_view address, CallOptions options,
                                           ConnectionOptions connection) {
  ASSIGN_OR_RETURN(std::shared_ptr<Connection> opened, muster::Connect(address, connection, options.deadline()));
  return Operator(std::move(opened));
}

absl::StatusOr<v1::GetServerInfoResponse> Operator::ServerInfo(CallOptions options) const {
  return connection_->Call(&Connection::Stub::GetServerInfo, v1::GetServerInfoRequest(), options.deadline(),
                           "asking for the server's information");
}

absl::StatusOr<v1::ListPoolsResponse> Operator::ListPools(CallOptions options) const {
  return connection_->Call(&Connection::Stub::ListPools, v1::ListPoolsRequest(), options.deadline(), "list of pools");
}

absl::StatusOr<v1::PoolInfo> Operator::DescribePool(absl::string_view pool_id, CallOptions options) const {
  v1::ListPoolsRequest request;
  request.set_pool_id(std::string(pool_id));
  ASSIGN_OR_RETURN(v1::ListPoolsResponse pools,
                   connection_->Call(&Connection::Stub::ListPools, request, options.deadline(),
                                     absl::StrCat("description of pool ", pool_id)));
  // A daemon that does not know the field lists all pools.
  if (pools.pools_size() != 1 || !pools.pools(0).has_resolved_spec()) {
    return absl::UnimplementedError(
        absl::StrCat("description of pool ", pool_id, ": the daemon is older than this client and tells no specs"));
  }
  return std::move(*pools.mutable_pools(0));
}

RemotePool Operator::Pool(std::string pool_id) const {
  return RemotePool(connection_, AsOperator(), std::move(pool_id));
}

absl::StatusOr<v1::RemoveCgroupResponse> Operator::RemoveCgroup(absl::string_view name, CallOptions options) const {
  v1::RemoveCgroupRequest request;
  request.set_request_id(NewRequestId());
  *request.mutable_authority() = AsOperator();
  request.set_name(std::string(name));
  return connection_->Call(&Connection::Stub::RemoveCgroup, request, options.deadline(),
                           absl::StrCat("removal of cgroup ", name));
}

}  // namespace muster
