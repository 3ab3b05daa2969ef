#include "client/client.h"

#include <unistd.h>

#include <climits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "client/request_id.h"

namespace muster {
namespace {

std::string DefaultOwner() {
  char host[HOST_NAME_MAX + 1] = "";
  gethostname(host, sizeof(host) - 1);
  return absl::StrCat(host, " pid ", getpid());
}

}  // namespace

absl::StatusOr<Client> Client::Connect(absl::string_view address, ClientOptions options) {
  const Deadline deadline = Deadline::After(options.connect_timeout);
  auto session = std::make_shared<Session>();
  ASSIGN_OR_RETURN(session->connection, muster::Connect(address, options.connection, deadline));
  if (options.lease.owner.empty()) options.lease.owner = DefaultOwner();
  ASSIGN_OR_RETURN(session->lease, Lease::Open(session->connection, std::move(options.lease), deadline));
  return Client(std::move(session));
}

absl::StatusOr<WorkloadHandle> Client::Spawn(const v1::WorkloadSpec& spec, PoolOptions options) {
  RETURN_IF_ERROR(lease_status());
  v1::SpawnRequest request;
  request.set_request_id(NewRequestId());
  *request.mutable_authority() = session_->lease->authority();
  *request.mutable_spec() = spec;
  request.set_detached(options.detached);
  ASSIGN_OR_RETURN(v1::SpawnResponse response,
                   session_->connection->Call(&Connection::Stub::Spawn, request, options.call.deadline(), "spawn"));
  return WorkloadHandle(session_, std::move(response), options.detached);
}

absl::StatusOr<v1::GetServerInfoResponse> Client::ServerInfo(CallOptions options) const {
  return session_->connection->Call(&Connection::Stub::GetServerInfo, v1::GetServerInfoRequest(), options.deadline(),
                                    "asking for the server's information");
}

}  // namespace muster
