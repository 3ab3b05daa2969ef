// The stream of OpenLease.
#ifndef MUSTER_DAEMON_SERVICE_LEASE_SOURCE_H_
#define MUSTER_DAEMON_SERVICE_LEASE_SOURCE_H_

#include <optional>

#include "daemon/lease/lease_keeper.h"
#include "daemon/lease/lease_table.h"
#include "daemon/service/stream_call.h"
#include "muster/v1/muster.pb.h"

namespace muster {

// All outlive the source.
struct LeaseStreamParts {
  LeaseTable* leases = nullptr;
  LeaseKeeper* keeper = nullptr;
  // Time after which a silent peer counts as gone.
  absl::Duration ttl;
};

// Holds the lease while it lives; its destructor begins the lease's grace.
class LeaseSource final : public StreamSource<v1::LeaseEvent> {
 public:
  // `request` is valid while this object lives.
  LeaseSource(const v1::OpenLeaseRequest* request, LeaseStreamParts parts) : request_(request), parts_(parts) {}
  ~LeaseSource() override;

  absl::Status Begin(const CallContext& context, Waker wake) override;
  absl::StatusOr<StreamStep> Next(v1::LeaseEvent* event) override;

 private:
  const v1::OpenLeaseRequest* const request_;
  const LeaseStreamParts parts_;
  std::optional<OpenedLease> opened_;
  bool told_ = false;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_SERVICE_LEASE_SOURCE_H_
