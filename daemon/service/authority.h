// Who may do what to a pool.
#ifndef MUSTER_DAEMON_SERVICE_AUTHORITY_H_
#define MUSTER_DAEMON_SERVICE_AUTHORITY_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/pool/pool.h"
#include "daemon/service/service_parts.h"
#include "muster/v1/muster.pb.h"

namespace muster {

// OK for the pool's lease by id and secret, alive or, when the pool is detached, ended; and for an operator.
// INVALID_ARGUMENT: no lease given; NOT_FOUND: no such lease; PERMISSION_DENIED: another's pool, or a wrong secret.
absl::Status CheckAuthority(const v1::Authority& authority, const Pool& pool, const ServiceParts& parts);

// The pool, when it is there and the authority suffices for it.
absl::StatusOr<Pool> FindPoolFor(const v1::Authority& authority, const std::string& pool_id, const ServiceParts& parts);

// The lease for the cache of answers; empty for an operator.
std::string CacheScope(const v1::Authority& authority);

}  // namespace muster

#endif  // MUSTER_DAEMON_SERVICE_AUTHORITY_H_
