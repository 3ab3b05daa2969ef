#include "worker/host/workshop.h"

#include <errno.h>
#include <fcntl.h>

#include "absl/strings/str_cat.h"
#include "base/errno_status.h"
#include "base/start_error.h"

namespace muster::host {

void FillContext(const Workshop& shop, uint32_t worker, std::byte* own, WorkerContext* context) {
  const Pool& pool = *shop.pool;
  const PoolGroup& group = pool.GroupOfWorker(worker);
  context->place = pool.PlaceOf(worker);
  context->target.header = &shop.view->header();
  context->target.control = reinterpret_cast<arena::Control*>(own);
  context->target.live = &arena::Arena::LiveIn(*context->target.control, worker);
  context->target.bulk = arena::TakeApart(arena::Arena::BulkIn(own), group.shape);
  context->target.shape = group.shape;
  context->target.seed = context->place.seed;
  context->gate = shop.view->gate();
  context->bell = {&shop.board->head().arrivals, shop.events->bell_fd()};
  context->wake_position = pool.WakePositionOf(worker);
  shop.view->Touch(context->wake_position);
  context->group = &group.spec;
  context->cpus = pool.CpusOf(worker);
  context->type = group.type;
  context->place.max_rt_priority = pool.plan().max_worker_rt_priority();
  context->proc_fd = shop.proc_fd;
}

absl::Status AllocateParts(const Pool& pool, WorkerRange workers) {
  const arena::Range parts = pool.PartsOf(workers);
  if (parts.bytes > 0 && fallocate(pool.arena_fd(), 0, parts.offset, parts.bytes) != 0) {
    return Exhausted(ErrnoStatus(errno, absl::StrCat("allocating ", parts.bytes, " bytes of the arena")));
  }
  return absl::OkStatus();
}

absl::Status Dropped() { return absl::AbortedError("the pool was dropped while it was being made"); }

absl::Status CloneError(int error_number, absl::string_view what) {
  return Exhausted(StartError(error_number, absl::StrCat("clone3 of ", what)));
}

absl::Status Exhausted(const absl::Status& status) {
  return absl::IsUnavailable(status) ? absl::ResourceExhaustedError(status.message()) : status;
}

}  // namespace muster::host
