#include "worker/host/cloner.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

#include "gtest/gtest.h"

namespace muster::host {
namespace {

// Runs `body` in a raw clone and returns its exit code, or minus the signal that ended it.
template <typename Body>
int RunInClone(Cloner& cloner, const CloneRequest& request, Body body) {
  const pid_t pid = cloner.Clone(request);
  if (pid == 0) _exit(body());
  EXPECT_GT(pid, 0);
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

// A mutex in memory that processes share, with priority inheritance and robustness.
class SharedMutex {
 public:
  SharedMutex() {
    page_ = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(mutex(), &attributes);
    pthread_mutexattr_destroy(&attributes);
  }
  ~SharedMutex() { munmap(page_, 4096); }

  pthread_mutex_t* mutex() { return static_cast<pthread_mutex_t*>(page_); }
  std::atomic<long>* counter() { return reinterpret_cast<std::atomic<long>*>(static_cast<char*>(page_) + 2048); }

 private:
  void* page_;
};

class ClonerTest : public testing::Test {
 protected:
  ClonerTest() : cloner_(*KernelCloner::Create()) {}
  KernelCloner cloner_;
};

TEST_F(ClonerTest, ChildKnowsItsOwnThreadId) {
  const int code = RunInClone(cloner_, {}, [] {
    pthread_mutex_t mutex = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
    pthread_mutex_lock(&mutex);
    return mutex.__data.__owner == static_cast<pid_t>(syscall(SYS_gettid)) ? 0 : 1;
  });
  EXPECT_EQ(code, 0);
}

TEST_F(ClonerTest, ParentKeepsItsThreadId) {
  const TaskIdentity identity = *FindTaskIdentity();
  EXPECT_EQ(*identity.cached_tid, static_cast<pid_t>(syscall(SYS_gettid)));
  EXPECT_NE(identity.robust_list, nullptr);
}

TEST_F(ClonerTest, ClonesOfClonesKnowTheirThreadIdToo) {
  const int code = RunInClone(cloner_, {}, [this] {
    return RunInClone(cloner_, {}, [] {
      pthread_mutex_t mutex = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
      pthread_mutex_lock(&mutex);
      return mutex.__data.__owner == static_cast<pid_t>(syscall(SYS_gettid)) ? 0 : 1;
    });
  });
  EXPECT_EQ(code, 0);
}

TEST_F(ClonerTest, TwoClonesExcludeEachOtherByAPriorityInheritingLock) {
  constexpr long kRounds = 20'000;
  SharedMutex shared;
  const auto count = [&shared] {
    for (long i = 0; i < kRounds; ++i) {
      if (pthread_mutex_lock(shared.mutex()) != 0) _exit(1);
      // Not one atomic step: two inside at once would lose counts.
      shared.counter()->store(shared.counter()->load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
      if (pthread_mutex_unlock(shared.mutex()) != 0) _exit(2);
    }
    _exit(0);
  };
  pid_t pids[2];
  for (pid_t& pid : pids) {
    pid = cloner_.Clone({});
    if (pid == 0) count();
  }
  for (const pid_t pid : pids) {
    int status = 0;
    ASSERT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(shared.counter()->load(), 2 * kRounds);
}

TEST_F(ClonerTest, ALockWhoseOwnerDiedIsHandedOn) {
  SharedMutex shared;
  EXPECT_EQ(RunInClone(cloner_, {}, [&shared] { return pthread_mutex_lock(shared.mutex()); }), 0);
  EXPECT_EQ(pthread_mutex_lock(shared.mutex()), EOWNERDEAD);
  EXPECT_EQ(pthread_mutex_consistent(shared.mutex()), 0);
  EXPECT_EQ(pthread_mutex_unlock(shared.mutex()), 0);
}

TEST_F(ClonerTest, TheParentsRobustLocksAreNotTheChilds) {
  SharedMutex shared;
  ASSERT_EQ(pthread_mutex_lock(shared.mutex()), 0);
  volatile int* const word = &shared.mutex()->__data.__lock;
  const int mine = *word;
  // Were the lock in the child's list, the kernel would mark it as a dead owner's.
  EXPECT_EQ(RunInClone(cloner_, {},
                       [word] {
                         *word = static_cast<int>(syscall(SYS_gettid));
                         return 0;
                       }),
            0);
  EXPECT_EQ(*word & FUTEX_OWNER_DIED, 0);
  *word = mine;
  EXPECT_EQ(pthread_mutex_unlock(shared.mutex()), 0);
}

TEST_F(ClonerTest, AClonesSiblingIsTheCallersChild) {
  pid_t* sibling = static_cast<pid_t*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  const int code = RunInClone(cloner_, {}, [this, sibling] {
    CloneRequest request;
    request.as_sibling = true;
    request.pid_out = sibling;
    const pid_t pid = cloner_.Clone(request);
    if (pid == 0) _exit(7);
    return pid == *sibling ? 0 : 1;
  });
  EXPECT_EQ(code, 0);
  int status = 0;
  EXPECT_EQ(waitpid(*sibling, &status, 0), *sibling);
  EXPECT_EQ(WEXITSTATUS(status), 7);
  munmap(sibling, 4096);
}

TEST_F(ClonerTest, ABadCgroupIsAnErrorAndNoChild) {
  CloneRequest request;
  request.cgroup_fd = 4711;
  EXPECT_EQ(cloner_.Clone(request), -EBADF);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
}

}  // namespace
}  // namespace muster::host
