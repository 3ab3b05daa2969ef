#include "worker/host/task_identity.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/errno_status.h"

namespace muster::host {
namespace {

// glibc's thread descriptor is larger than this on every architecture; the id stands in its first KiB.
constexpr size_t kScanBytes = 1024;

// The owner that an error-checking mutex notes down for the calling thread.
pid_t OwnerOfNewLock() {
  pthread_mutexattr_t attributes;
  pthread_mutex_t mutex;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
  pthread_mutex_init(&mutex, &attributes);
  pthread_mutex_lock(&mutex);
  const pid_t owner = mutex.__data.__owner;
  pthread_mutex_unlock(&mutex);
  pthread_mutex_destroy(&mutex);
  pthread_mutexattr_destroy(&attributes);
  return owner;
}

// True when glibc takes the caller's id from `word`: with another number there, that is what a lock's owner is.
bool IsCachedTid(volatile pid_t* word) {
  const pid_t tid = *word;
  const pid_t probe = tid ^ 0x10000;
  *word = probe;
  const pid_t owner = OwnerOfNewLock();
  *word = tid;
  return owner == probe;
}

// The kernel's note of where to clear the id at the end of the thread; glibc gave it the very word. Needs
// CONFIG_CHECKPOINT_RESTORE.
pid_t* AskKernel() {
  pid_t* word = nullptr;
  if (prctl(PR_GET_TID_ADDRESS, &word) != 0) return nullptr;
  return word != nullptr && *word == gettid() ? word : nullptr;
}

pid_t* ScanThreadDescriptor() {
  pid_t* const words = reinterpret_cast<pid_t*>(pthread_self());
  for (size_t i = 0; i < kScanBytes / sizeof(pid_t); ++i) {
    if (words[i] == gettid() && IsCachedTid(&words[i])) return &words[i];
  }
  return nullptr;
}

}  // namespace

absl::StatusOr<TaskIdentity> FindTaskIdentity() {
  TaskIdentity identity;
  identity.cached_tid = AskKernel();
  if (identity.cached_tid == nullptr || !IsCachedTid(identity.cached_tid)) identity.cached_tid = ScanThreadDescriptor();
  if (identity.cached_tid == nullptr) {
    return absl::InternalError(
        "this C library's place for the thread id was not found; raw clones would lock as their parent");
  }
  if (syscall(SYS_get_robust_list, 0, &identity.robust_list, &identity.robust_list_bytes) != 0) {
    return ErrnoStatus(errno, "get_robust_list");
  }
  return identity;
}

void AdoptTaskIdentity(const TaskIdentity& identity) {
  // The copied list names the parent's locks; at the child's end the kernel would take those words for locks of the
  // child.
  auto* const head = static_cast<robust_list_head*>(identity.robust_list);
  head->list.next = &head->list;
  head->list_op_pending = nullptr;
  syscall(SYS_set_robust_list, identity.robust_list, identity.robust_list_bytes);
}

}  // namespace muster::host
