#include "daemon/service/pool_events.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "proto/exit_text.h"

namespace muster {

void PoolEvents::OnWorkerDied(const Pool& pool, uint32_t worker, const v1::ExitInfo& exit_info) {
  LogWarning(absl::StrCat("pool ", pool.id(), ": worker ", worker, " ended: ", DescribeExit(exit_info)));
  v1::LeaseEvent event;
  event.mutable_worker_died()->set_pool_id(pool.id());
  event.mutable_worker_died()->set_worker_index(worker);
  *event.mutable_worker_died()->mutable_exit_info() = exit_info;
  leases_->Post(pool.labels().lease_id, std::move(event));
}

void PoolEvents::OnPoolEnded(const Pool& pool, absl::string_view error) {
  v1::LeaseEvent event;
  event.mutable_pool_ended()->set_pool_id(pool.id());
  event.mutable_pool_ended()->set_error(std::string(error));
  leases_->Post(pool.labels().lease_id, std::move(event));
  watches_->End(pool.id());
}

}  // namespace muster
