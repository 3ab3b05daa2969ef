#include "worker/host/fork_spawner.h"

#include <alloca.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/errno_status.h"
#include "base/error_detail.h"
#include "base/status_macros.h"
#include "worker/core/worker.h"
#include "worker/host/priority.h"
#include "worker/host/task_process.h"
#include "worker/host/tasks.h"

namespace muster::host {
namespace {

// A helper costs a clone itself; below this many workers each it does not pay.
constexpr uint32_t kWorkersPerHelper = 32;
constexpr uint32_t kMaxHelpers = 256;

// Between two looks at whether musterd still wants the pool.
constexpr uint32_t kWorkersPerLook = 64;
// For a process that ends by SIGKILL.
constexpr uint64_t kKillBoundNs = 3'000'000'000;

}  // namespace

ForkSpawner::ForkSpawner(const Workshop& workshop)
    : shop_(workshop), keep_({workshop.events->bell_fd(), workshop.proc_fd}) {
  std::sort(keep_.begin(), keep_.end());
}

absl::Status ForkSpawner::Run() {
  const uint32_t helpers = NumHelpers();
  if (helpers > 1) return RunHelpers(helpers);
  return MakeWorkers({0, shop_.pool->num_workers()}, Maker::kHost);
}

// Workers live on below their maker's stack frame, and each page of it that they write is copied. From the top of a
// page on, they write one page up to their gate and beyond, wherever the kernel has put the stack.
__attribute__((noinline)) absl::Status ForkSpawner::MakeWorkers(WorkerRange workers, Maker maker) {
  void* const rest_of_page = alloca(reinterpret_cast<uintptr_t>(__builtin_frame_address(0)) % arena::kPageBytes);
  asm volatile("" : : "r"(rest_of_page) : "memory");
  return MakeWorkersHere(workers, maker);
}

__attribute__((noinline)) absl::Status ForkSpawner::MakeWorkersHere(WorkerRange workers, Maker maker) {
  RETURN_IF_ERROR(AllocateParts(*shop_.pool, workers));
  const uint32_t end = workers.first + workers.count;
  uint32_t next_look = workers.first + kWorkersPerLook;
  for (uint32_t worker = workers.first; worker < end;) {
    if (maker == Maker::kHost && worker >= next_look) {
      next_look = worker + kWorkersPerLook;
      if (IsDropped()) return Dropped();
    }
    const WorkerRange members = shop_.pool->InstanceFrom(worker);
    const absl::Status status = MakeInstance(members, maker);
    if (!status.ok())
      return Annotate(Exhausted(status), absl::StrCat("worker ", worker, " of ", shop_.pool->num_workers()));
    worker += members.count;
  }
  return absl::OkStatus();
}

bool ForkSpawner::IsDropped() {
  shop_.events->Wait(0, {.children = false, .bell = false});
  return shop_.events->hurried();
}

absl::Status ForkSpawner::MakeInstance(WorkerRange members, Maker maker) {
  const PoolGroup& group = shop_.pool->GroupOfWorker(members.first);
  ASSIGN_OR_RETURN(InstancePlumbing plumbing, InstancePlumbing::Make(group));
  // Nothing is allocated between two clones where that can be: the page would have been shared by the clone, and be
  // copied now.
  std::vector<int> with_plumbing;
  if (HasDescriptors(plumbing.get())) {
    with_plumbing = keep_;
    AppendDescriptors(plumbing.get(), &with_plumbing);
    std::sort(with_plumbing.begin(), with_plumbing.end());
  }
  const std::vector<int>& keep = with_plumbing.empty() ? keep_ : with_plumbing;
  for (uint32_t worker = members.first; worker < members.first + members.count; ++worker) {
    CloneRequest request;
    request.cgroup_fd = group.cgroup_fd;
    request.as_sibling = maker == Maker::kHelper;
    request.pid_out = &shop_.board->ids()[worker];
    const pid_t pid = shop_.cloner->Clone(request);
    if (pid == 0) LiveAsWorker(worker, std::move(plumbing), keep);
    if (pid < 0) return CloneError(-pid, absl::StrCat("worker ", worker));
  }
  return absl::OkStatus();
}

void ForkSpawner::LiveAsWorker(uint32_t worker, InstancePlumbing plumbing, const std::vector<int>& keep) {
  const Pool& pool = *shop_.pool;
  const PoolGroup& group = pool.GroupOfWorker(worker);
  BecomeTaskProcess(shop_.host);
  const absl::StatusOr<std::byte*> own = MapOwnParts(pool.arena_fd(), pool.PartOf(worker));
  if (!own.ok()) {
    shop_.board->Fail(Annotate(Exhausted(own.status()), absl::StrCat("worker ", worker)));
    _exit(1);
  }
  WorkerContext context;
  if (group.is_program()) {
    context.telemetry_fd = shop_.telemetry_fds[worker];
    std::vector<int> with_telemetry = keep;
    with_telemetry.insert(std::upper_bound(with_telemetry.begin(), with_telemetry.end(), context.telemetry_fd),
                          context.telemetry_fd);
    KeepDescriptors(with_telemetry);
  } else {
    KeepDescriptors(keep);
  }
  FillContext(shop_, worker, *own, &context);
  context.plumbing = std::move(plumbing).Take();
  if (context.plumbing.memory != nullptr) {
    madvise(context.plumbing.memory, context.plumbing.memory_bytes, MADV_POPULATE_WRITE);
  }
  RunWorker(context);
  _exit(0);
}

uint32_t ForkSpawner::NumHelpers() const {
  return std::min({shop_.pool->plan().spawners(), shop_.pool->num_workers() / kWorkersPerHelper, kMaxHelpers});
}

std::vector<WorkerRange> ForkSpawner::CutForHelpers(uint32_t helpers) const {
  std::vector<WorkerRange> cuts;
  const uint32_t total = shop_.pool->num_workers();
  uint32_t worker = 0;
  for (uint32_t helper = 1; helper <= helpers; ++helper) {
    const uint32_t first = worker;
    const uint64_t end = uint64_t{total} * helper / helpers;
    while (worker < end) worker += shop_.pool->InstanceFrom(worker).count;
    if (worker > first) cuts.push_back({first, worker - first});
  }
  return cuts;
}

absl::Status ForkSpawner::RunHelpers(uint32_t helpers) {
  std::vector<pid_t> pids;
  absl::Status status;
  for (const WorkerRange& cut : CutForHelpers(helpers)) {
    const pid_t pid = shop_.cloner->Clone({});
    if (pid == 0) LiveAsHelper(cut);
    if (pid < 0) {
      status = CloneError(-pid, "a process that makes workers");
      break;
    }
    pids.push_back(pid);
  }
  for (const pid_t pid : pids) {
    if (!status.ok()) kill(pid, SIGKILL);
    const absl::Status end = AwaitHelper(pid);
    if (status.ok()) status = end;
  }
  const absl::Status failure = shop_.board->TakeFailure();
  return failure.ok() ? status : failure;
}

void ForkSpawner::LiveAsHelper(WorkerRange workers) {
  DieWithHost(shop_.host);
  shop_.board->HideIds();
  // Without it the helper is as slow as the load lets it be.
  (void)RunAsHelper();
  const absl::Status status = MakeWorkers(workers, Maker::kHelper);
  if (!status.ok()) shop_.board->Fail(status);
  _exit(status.ok() ? 0 : 1);
}

absl::Status ForkSpawner::AwaitHelper(pid_t pid) {
  const UniqueFd fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!fd.valid()) return ErrnoStatus(errno, "pidfd_open of a process that makes workers");
  absl::Status status;
  while (!shop_.events->Wait(shop_.deadline_ns, {.children = false, .bell = false, .fd = fd.get()}).fd) {
    if (shop_.events->hurried()) status = Dropped();
    if (MonotonicNs() >= shop_.deadline_ns) {
      status = absl::DeadlineExceededError("the processes that make workers did not end in time");
    }
    if (status.ok()) continue;
    kill(pid, SIGKILL);
    PollUntil(fd.get(), MonotonicNs() + kKillBoundNs);
    break;
  }
  int end = 0;
  if (waitpid(pid, &end, WNOHANG) == pid && end != 0 && status.ok()) {
    status = absl::InternalError(absl::StrCat("a process that makes workers ended with wait status ", end));
  }
  return status;
}

}  // namespace muster::host
