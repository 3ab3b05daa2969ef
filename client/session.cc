#include "client/session.h"

#include "absl/strings/str_cat.h"
#include "base/malloc_tuning.h"
#include "base/status_macros.h"

namespace muster {
namespace {

// Revision of muster.v1 that this library speaks.
constexpr uint32_t kProtocol = 1;

absl::Status CheckProtocol(const v1::GetServerInfoResponse& info, absl::string_view address) {
  if (info.protocol_min() <= kProtocol && kProtocol <= info.protocol_max()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("musterd ", info.version(), " at ", address, " speaks protocol ", info.protocol_min(), " to ",
                   info.protocol_max(), ", this client speaks ", kProtocol, "; use programs of one release"));
}

}  // namespace

absl::StatusOr<std::shared_ptr<Connection>> Connect(absl::string_view address, const ConnectionOptions& options,
                                                    const Deadline& deadline) {
  KeepLargeBlocksOnTheHeap();
  ASSIGN_OR_RETURN(const Address parsed, ParseAddress(address));
  ASSIGN_OR_RETURN(std::shared_ptr<Connection> connection, Connection::Open(parsed, options, deadline));
  ASSIGN_OR_RETURN(const v1::GetServerInfoResponse info,
                   connection->Call(&Connection::Stub::GetServerInfo, v1::GetServerInfoRequest(), deadline,
                                    absl::StrCat("connected to ", address, ", asking for its protocol")));
  RETURN_IF_ERROR(CheckProtocol(info, address));
  return connection;
}

}  // namespace muster
