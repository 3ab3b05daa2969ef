#include "worker/parts/pi_lock.h"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

#include "worker/meter/meter_fixture.h"

namespace muster {
namespace {

pid_t Tid() { return static_cast<pid_t>(syscall(SYS_gettid)); }

TEST(PiLock, KeepsHoldersApart) {
  PiLock lock{};
  // Not on the stack, which the address sanitizer aligns less.
  const auto header = std::make_unique<arena::Header>();
  uint64_t guarded = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&lock, &header, &guarded] {
      MeterFixture record({}, 1, header.get());
      Meter meter(record.target());
      for (int round = 0; round < 5'000; ++round) {
        ASSERT_EQ(lock.Lock(meter, Tid()), PiLock::Outcome::kLocked);
        ++guarded;
        lock.Unlock(Tid());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(guarded, 15'000u);
  EXPECT_FALSE(lock.IsHeld());
}

TEST(PiLock, AWaiterThatTheStopEndsDoesNotReleaseTheHoldersLock) {
  PiLock lock{};
  // Not on the stack, which the address sanitizer aligns less.
  const auto header = std::make_unique<arena::Header>();
  MeterFixture record({}, 1, header.get());
  Meter meter(record.target());
  ASSERT_EQ(lock.Lock(meter, Tid()), PiLock::Outcome::kLocked);
  std::thread waiter([&lock, &header] {
    MeterFixture own({}, 1, header.get());
    Meter own_meter(own.target());
    EXPECT_EQ(lock.Lock(own_meter, Tid()), PiLock::Outcome::kStopped);
  });
  header->stop.store(1);
  waiter.join();
  EXPECT_TRUE(lock.IsHeld());
  lock.Unlock(Tid());
  EXPECT_FALSE(lock.IsHeld());
}

// Makes a futex operation fail in the calling thread.
void Refuse(uint32_t operation, uint32_t error) {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_futex, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[1])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, operation, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};
  ASSERT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  ASSERT_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

constexpr uint32_t kLockPi2 = 13;

// Waits in a thread that has no such operation, for a lock that is held until the stop.
PiLock::Outcome WaitWithout(uint32_t operation, uint32_t error) {
  PiLock lock{};
  const auto header = std::make_unique<arena::Header>();
  MeterFixture record({}, 1, header.get());
  Meter meter(record.target());
  EXPECT_EQ(lock.Lock(meter, Tid()), PiLock::Outcome::kLocked);
  PiLock::Outcome outcome = PiLock::Outcome::kLocked;
  std::atomic<bool> ended = false;
  std::thread waiter([&] {
    MeterFixture own({}, 1, header.get());
    Meter own_meter(own.target());
    Refuse(operation, error);
    outcome = lock.Lock(own_meter, Tid());
    ended = true;
  });
  // The kernel marks the word when somebody waits.
  const auto& word = *reinterpret_cast<const std::atomic<uint32_t>*>(&lock);
  while (!ended && (word & FUTEX_WAITERS) == 0) sched_yield();
  header->stop.store(1);
  waiter.join();
  lock.Unlock(Tid());
  return outcome;
}

bool HasLockPi2() {
  uint32_t word = 0;
  return syscall(SYS_futex, &word, kLockPi2, 0, nullptr, nullptr, 0) == 0 || errno != ENOSYS;
}

TEST(PiLock, AWaitDoesNotDependOnTheClockThatCanBeSet) {
  if (!HasLockPi2()) GTEST_SKIP() << "the kernel is older than 5.14";
  EXPECT_EQ(WaitWithout(FUTEX_LOCK_PI, EPERM), PiLock::Outcome::kStopped);
}

TEST(PiLock, AnOlderKernelWaitsToo) { EXPECT_EQ(WaitWithout(kLockPi2, ENOSYS), PiLock::Outcome::kStopped); }

TEST(PiLock, ALockThatTheCallerHoldsAlreadyIsAFailureAndNoHang) {
  PiLock lock{};
  MeterFixture record({});
  Meter meter(record.target());
  ASSERT_EQ(lock.Lock(meter, Tid()), PiLock::Outcome::kLocked);
  EXPECT_EQ(lock.Lock(meter, Tid()), PiLock::Outcome::kFailed);
}

}  // namespace
}  // namespace muster
