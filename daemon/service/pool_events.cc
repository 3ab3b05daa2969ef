#include "daemon/service/pool_events.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"

namespace muster {
namespace {

std::string DescribeCause(const v1::ExitInfo& exit_info) {
  switch (exit_info.cause_case()) {
    case v1::ExitInfo::kExited:
      return absl::StrCat("exited with code ", exit_info.exited().code());
    case v1::ExitInfo::kSignaled:
      return absl::StrCat("was killed by signal ", exit_info.signaled().signal(),
                          exit_info.signaled().oom_killed() ? " (out of memory)" : "");
    case v1::ExitInfo::kTimedOut:
      return exit_info.timed_out().unreaped() ? "is stuck in the kernel" : "did not end in time";
    case v1::ExitInfo::kWaitFailed:
      return absl::StrCat("could not be waited for: ", exit_info.wait_failed().error());
    case v1::ExitInfo::kPanicked:
      return absl::StrCat("panicked: ", exit_info.panicked().text());
    case v1::ExitInfo::CAUSE_NOT_SET:
      return "ended for an unknown cause";
  }
  return "ended for an unknown cause";
}

}  // namespace

std::string DescribeExit(const v1::ExitInfo& exit_info) {
  return absl::StrCat(DescribeCause(exit_info), exit_info.shared_fate() ? ", with its whole process" : "");
}

void PoolEvents::OnWorkerDied(const Pool& pool, uint32_t worker, const v1::ExitInfo& exit_info) {
  LogWarning(absl::StrCat("pool ", pool.id(), ": worker ", worker, " ", DescribeExit(exit_info)));
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
