#include "daemon/service/authority.h"

#include "absl/strings/str_cat.h"
#include "base/error_detail.h"
#include "base/status_macros.h"

namespace muster {

absl::Status CheckAuthority(const v1::Authority& authority, const Pool& pool, const ServiceParts& parts) {
  if (authority.as_operator()) return absl::OkStatus();
  if (authority.lease_id().empty()) {
    return FieldError("authority.lease_id", "is empty; give the lease of the pool, or act as operator");
  }
  const PoolLabels labels = pool.labels();
  if (labels.detached) return parts.detached->Check(pool.id(), {authority.lease_id(), authority.lease_secret()});
  RETURN_IF_ERROR(parts.leases->Check(authority.lease_id(), authority.lease_secret(), "authority.lease_id"));
  if (labels.lease_id == authority.lease_id()) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat("pool ", pool.id(), " belongs to another lease; give its id and secret, or act as operator"));
}

absl::StatusOr<Pool> FindPoolFor(const v1::Authority& authority, const std::string& pool_id,
                                 const ServiceParts& parts) {
  ASSIGN_OR_RETURN(Pool pool, parts.pools->Find(pool_id));
  RETURN_IF_ERROR(CheckAuthority(authority, pool, parts));
  return pool;
}

std::string CacheScope(const v1::Authority& authority) { return authority.as_operator() ? "" : authority.lease_id(); }

}  // namespace muster
