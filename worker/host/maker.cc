#include "worker/host/maker.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/errno_status.h"
#include "base/error_detail.h"
#include "base/status_macros.h"
#include "worker/host/fork_spawner.h"
#include "worker/host/membership.h"
#include "worker/host/task_process.h"
#include "worker/host/thread_homes.h"
#include "worker/host/thread_spawner.h"
#include "worker/host/workshop.h"
#include "worker/telemetry/muster_telemetry.h"

namespace muster::host {
namespace {

// For what was killed because the pool could not be made.
constexpr uint64_t kUndoBudgetNs = 10'000'000'000;

absl::StatusOr<UniqueFd> MakeTelemetryFile() {
  UniqueFd fd(memfd_create("muster-telemetry", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.valid()) return ErrnoStatus(errno, "memfd_create of a program's telemetry");
  muster_telemetry head = {};
  head.magic = MUSTER_TELEMETRY_MAGIC;
  head.version = MUSTER_TELEMETRY_VERSION;
  if (ftruncate(fd.get(), MUSTER_TELEMETRY_BYTES) != 0 || pwrite(fd.get(), &head, sizeof(head), 0) != sizeof(head) ||
      fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    return ErrnoStatus(errno, "making a program's telemetry");
  }
  return fd;
}

}  // namespace

absl::StatusOr<std::unique_ptr<LivePool>> Maker::Make(control::Plan plan, std::vector<UniqueFd> descriptors) {
  deadline_ns_ = MonotonicNs() + plan.spawn_timeout_ns();
  live_ = std::make_unique<LivePool>();
  absl::Status status = Prepare(std::move(plan), std::move(descriptors));
  if (status.ok()) status = Spawn();
  if (!status.ok()) return status;
  return std::move(live_);
}

absl::Status Maker::Prepare(control::Plan plan, std::vector<UniqueFd> descriptors) {
  ASSIGN_OR_RETURN(live_->pool, Pool::Make(std::move(plan), std::move(descriptors)));
  ASSIGN_OR_RETURN(live_->arena, arena::Arena::Map(live_->pool.arena_fd(), arena::Arena::Access::kPoolHost));
  RETURN_IF_ERROR(live_->pool.BindArena(live_->arena));
  ASSIGN_OR_RETURN(live_->view, SharedView::Map(live_->pool.arena_fd(), live_->arena));
  ASSIGN_OR_RETURN(live_->board, Board::Create(live_->pool.num_workers()));
  return Exhausted(MakeTelemetry());
}

absl::Status Maker::MakeTelemetry() {
  for (const PoolGroup& group : live_->pool.groups()) {
    if (!group.is_program()) continue;
    live_->telemetry.resize(live_->pool.num_workers());
    for (uint32_t worker = group.first_worker; worker < group.first_worker + group.num_workers; ++worker) {
      ASSIGN_OR_RETURN(live_->telemetry[worker], MakeTelemetryFile());
      live_->arena.host(worker).telemetry_fd = live_->telemetry[worker].get();
    }
  }
  return absl::OkStatus();
}

absl::Status Maker::Spawn() {
  const Workshop shop = SetUpShop();
  SetTaskHandlers();
  ExpectArrivals();
  for (const PoolGroup& group : live_->pool.groups()) {
    if (group.cgroup_fd >= 0) LookUpMembershipFiles(group.cgroup_fd);
  }
  absl::Status status = live_->pool.one_process() ? SpawnThreads(shop) : SpawnProcesses(shop);
  if (status.ok()) status = AwaitGate();
  if (!status.ok()) Undo();
  live_->pool.CloseArena();
  return status;
}

Workshop Maker::SetUpShop() {
  Workshop shop;
  shop.pool = &live_->pool;
  shop.view = &live_->view;
  shop.board = &live_->board;
  shop.cloner = &cloner_;
  shop.events = &events_;
  shop.host = getpid();
  shop.proc_fd = proc_fd_;
  for (const UniqueFd& fd : live_->telemetry) shop.telemetry_fds.push_back(fd.get());
  shop.deadline_ns = deadline_ns_;
  return shop;
}

void Maker::ExpectArrivals() {
  arena::Arrivals& arrivals = live_->board.head().arrivals;
  arrivals.count.store(0);
  arrivals.target.store(live_->pool.num_workers());
}

absl::Status Maker::SpawnProcesses(const Workshop& shop) {
  const absl::Status status = ForkSpawner(shop).Run();
  for (uint32_t worker = 0; worker < live_->pool.num_workers(); ++worker) {
    const pid_t pid = live_->board.id(worker);
    if (pid <= 0) continue;
    live_->arena.host(worker).pid = pid;
    live_->arena.host(worker).tid = pid;
    live_->tasks.Add(pid, {worker, 1});
  }
  return status;
}

absl::Status Maker::SpawnThreads(const Workshop& shop) {
  const Board& board = live_->board;
  const uint32_t workers = live_->pool.num_workers();
  ASSIGN_OR_RETURN(const ThreadHomes homes, ThreadHomes::Find(&live_->pool));
  std::atomic<uint32_t>& may_go = board.head().threads_may_go;
  may_go.store(homes.any_moves() ? 0 : 1);
  ASSIGN_OR_RETURN(const pid_t pid, ThreadSpawner(shop).Run(homes.birth_fd()));
  live_->tasks.Add(pid, {0, workers});
  if (homes.any_moves()) {
    RETURN_IF_ERROR(AwaitBell());
    RETURN_IF_ERROR(homes.MoveAll(board));
    ExpectArrivals();
    may_go.store(1, std::memory_order_release);
    arena::FutexWake(&may_go, workers);
  }
  return absl::OkStatus();
}

absl::Status Maker::AwaitGate() {
  do {
    RETURN_IF_ERROR(AwaitBell());
  } while (!AllAtGate());
  if (live_->pool.one_process()) RecordThreads();
  return absl::OkStatus();
}

void Maker::RecordThreads() {
  for (uint32_t worker = 0; worker < live_->pool.num_workers(); ++worker) {
    live_->arena.host(worker).pid = live_->tasks.PidOfWorker(worker);
    live_->arena.host(worker).tid = live_->board.id(worker);
  }
}

absl::Status Maker::AwaitBell() {
  while (true) {
    const Events::Ready ready = events_.Wait(deadline_ns_, {});
    if (ready.children) {
      const std::optional<size_t> ended = live_->tasks.FindEnded();
      if (ended.has_value()) return ExplainEnd(*ended);
    }
    if (events_.hurried()) return Dropped();
    if (ready.bell) return absl::OkStatus();
    if (MonotonicNs() >= deadline_ns_) return Late();
  }
}

bool Maker::AllAtGate() const {
  for (uint32_t worker = 0; worker < live_->pool.num_workers(); ++worker) {
    if (live_->StateOf(worker) == arena::State::kNone) return false;
  }
  return true;
}

absl::Status Maker::ExplainEnd(size_t task) {
  // The child wrote its reason, if it had one, before it ended.
  RETURN_IF_ERROR(live_->board.TakeFailure());
  const uint32_t worker = live_->tasks.workers(task).first;
  live_->tasks.Kill(task);
  live_->tasks.Reap(task, MonotonicNs() + kUndoBudgetNs);
  const arena::HostEntry& entry = live_->arena.host(worker);
  return absl::AbortedError(absl::StrCat(
      live_->pool.one_process() ? "the process of the workers" : absl::StrCat("worker ", worker),
      " ended before the gate was reached: ", entry.exit == arena::Exit::kSignaled ? "killed by signal " : "exit code ",
      entry.exit_value.load()));
}

absl::Status Maker::Late() const {
  uint32_t missing = 0;
  uint32_t first = 0;
  for (uint32_t worker = live_->pool.num_workers(); worker-- > 0;) {
    if (live_->StateOf(worker) != arena::State::kNone) continue;
    ++missing;
    first = worker;
  }
  return absl::DeadlineExceededError(absl::StrCat(
      missing, " of ", live_->pool.num_workers(), " workers did not reach the gate within ",
      absl::FormatDuration(absl::Nanoseconds(live_->pool.plan().spawn_timeout_ns())), "; the first is worker ", first));
}

void Maker::Undo() {
  live_->tasks.KillAll();
  live_->tasks.ReapAll(MonotonicNs() + kUndoBudgetNs);
}

}  // namespace muster::host
