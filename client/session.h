// What a client and all it made share.
#ifndef MUSTER_CLIENT_SESSION_H_
#define MUSTER_CLIENT_SESSION_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/connection.h"
#include "client/lease.h"

namespace muster {

// A connection and the lease held over it; the lease ends with the last owner. For the classes of this folder.
struct Session {
  std::shared_ptr<Connection> connection;
  std::unique_ptr<Lease> lease;
};

// Dials `address`, and asks whether the daemon speaks this library's protocol. Errors say which step failed.
absl::StatusOr<std::shared_ptr<Connection>> Connect(absl::string_view address, const ConnectionOptions& options,
                                                    const Deadline& deadline);

}  // namespace muster

#endif  // MUSTER_CLIENT_SESSION_H_
