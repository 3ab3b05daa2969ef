#include "worker/host/thread_spawner.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/errno_status.h"
#include "base/error_detail.h"
#include "base/status_macros.h"
#include "worker/host/plumber.h"

namespace muster::host {
namespace {

constexpr size_t kStackBytes = 256 * 1024;

// Every thread has copies of its instance's descriptors until it has taken its own.
void RaiseDescriptorLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// The group first: without the user's privileges it could not be changed any more. The process has one thread here.
absl::Status TakeIdentity(const v1::Pcomm& pcomm) {
  if (prctl(PR_SET_NAME, pcomm.name().c_str()) != 0)
    return ErrnoStatus(errno, absl::StrCat("PR_SET_NAME ", pcomm.name()));
  if (pcomm.has_gid() && syscall(SYS_setresgid, pcomm.gid(), pcomm.gid(), pcomm.gid()) != 0) {
    return ErrnoStatus(errno, absl::StrCat("pcomm.gid: setresgid ", pcomm.gid()));
  }
  if (pcomm.has_uid() && syscall(SYS_setresuid, pcomm.uid(), pcomm.uid(), pcomm.uid()) != 0) {
    return ErrnoStatus(errno, absl::StrCat("pcomm.uid: setresuid ", pcomm.uid()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<pid_t> ThreadSpawner::Run(int birth_fd) {
  RETURN_IF_ERROR(AllocateParts(*shop_.pool, {0, shop_.pool->num_workers()}));
  CloneRequest request;
  request.cgroup_fd = birth_fd;
  const pid_t pid = shop_.cloner->Clone(request);
  if (pid == 0) LiveAsProcess();
  if (pid < 0) return CloneError(-pid, "the process of worker threads");
  return pid;
}

void ThreadSpawner::LiveAsProcess() {
  BecomeTaskProcess(shop_.host);
  absl::Status status = Settle();
  if (status.ok()) status = MakeThreads();
  if (!status.ok()) {
    shop_.board->Fail(Exhausted(status));
    _exit(1);
  }
  for (const std::unique_ptr<Thread>& thread : threads_) pthread_join(thread->handle, nullptr);
  _exit(0);
}

absl::Status ThreadSpawner::Settle() {
  ASSIGN_OR_RETURN(parts_, MapOwnParts(shop_.pool->arena_fd(), shop_.pool->PartsOf({0, shop_.pool->num_workers()})));
  std::vector<int> keep = {shop_.events->bell_fd(), shop_.proc_fd};
  std::sort(keep.begin(), keep.end());
  KeepDescriptors(keep);
  RaiseDescriptorLimit();
  if (!shop_.pool->spec().has_pcomm()) return absl::OkStatus();
  RETURN_IF_ERROR(TakeIdentity(shop_.pool->spec().pcomm()));
  DieWithHost(shop_.host);
  return absl::OkStatus();
}

absl::Status ThreadSpawner::MakeThreads() {
  for (uint32_t worker = 0; worker < shop_.pool->num_workers();) {
    const WorkerRange members = shop_.pool->InstanceFrom(worker);
    RETURN_IF_ERROR(MakeInstance(members));
    worker += members.count;
  }
  return absl::OkStatus();
}

absl::Status ThreadSpawner::MakeInstance(WorkerRange members) {
  const PoolGroup& group = shop_.pool->GroupOfWorker(members.first);
  absl::StatusOr<InstancePlumbing> plumbing = InstancePlumbing::Make(group);
  if (!plumbing.ok()) return Annotate(plumbing.status(), absl::StrCat("worker ", members.first));
  if (plumbing->get().memory != nullptr) {
    madvise(plumbing->get().memory, plumbing->get().memory_bytes, MADV_POPULATE_WRITE);
  }
  for (uint32_t worker = members.first; worker < members.first + members.count; ++worker) {
    absl::StatusOr<Plumbing> copy = plumbing->Copy();
    if (!copy.ok()) return Annotate(copy.status(), absl::StrCat("worker ", worker));
    RETURN_IF_ERROR(MakeThread(worker, *std::move(copy)));
  }
  plumbing->KeepMemory();
  return absl::OkStatus();
}

absl::Status ThreadSpawner::MakeThread(uint32_t worker, Plumbing plumbing) {
  const Pool& pool = *shop_.pool;
  auto thread = std::make_unique<Thread>();
  thread->shop = &shop_;
  FillContext(shop_, worker, parts_ + (pool.PartOf(worker).offset - pool.PartOf(0).offset), &thread->context);
  thread->context.numa_pages = &numa_pages_;
  thread->context.plumbing = std::move(plumbing);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  const int error_number = pthread_create(&thread->handle, &attributes, &LiveAsThread, thread.get());
  pthread_attr_destroy(&attributes);
  if (error_number != 0) return ErrnoStatus(error_number, absl::StrCat("pthread_create of worker ", worker));
  threads_.push_back(std::move(thread));
  return absl::OkStatus();
}

void* ThreadSpawner::LiveAsThread(void* argument) {
  Thread& thread = *static_cast<Thread*>(argument);
  const Board& board = *thread.shop->board;
  const pid_t tid = static_cast<pid_t>(syscall(SYS_gettid));
  std::atomic_ref<int32_t>(board.ids()[thread.context.place.worker]).store(tid, std::memory_order_release);
  const std::atomic<uint32_t>& may_go = board.head().threads_may_go;
  if (may_go.load(std::memory_order_acquire) == 0) {
    arena::Arrive(thread.context.bell);
    while (may_go.load(std::memory_order_acquire) == 0) arena::FutexWait(&may_go, 0, nullptr);
  }
  RunWorker(thread.context);
  return nullptr;
}

}  // namespace muster::host
