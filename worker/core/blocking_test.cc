#include "worker/core/blocking.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/clock.h"
#include "base/file_io.h"
#include "base/unique_fd.h"
#include "gtest/gtest.h"
#include "worker/arena/gate.h"
#include "worker/meter/meter_fixture.h"

namespace muster {
namespace {

constexpr uint64_t kMs = 1'000'000;

// Handled by any thread.
std::atomic<int> signals{0};

class BlockingTest : public testing::Test {
 protected:
  BlockingTest() : record_(arena::WorkerShape{}), meter_(record_.target()) {
    struct sigaction action = {};
    action.sa_handler = [](int) { ++signals; };
    sigaction(SIGUSR1, &action, nullptr);
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    read_end_ = UniqueFd(ends[0]);
    write_end_ = UniqueFd(ends[1]);
  }

  // Runs `block` in a thread, stops the pool as the pool host does, and expects `block` to return false soon.
  void ExpectEndsAtStop(const std::function<bool()>& block) {
    std::atomic<bool> entered{false};
    std::atomic<bool> ended{false};
    bool result = true;
    std::thread worker([&] {
      entered = true;
      result = block();
      ended = true;
    });
    while (!entered) sched_yield();
    const uint64_t stop_ns = MonotonicNs();
    record_.Stop();
    while (!ended) {
      pthread_kill(worker.native_handle(), SIGUSR1);
      usleep(1'000);
    }
    worker.join();
    EXPECT_FALSE(result);
    EXPECT_LT(MonotonicNs() - stop_ns, 1'000 * kMs);
  }

  // Runs `block` in a thread, signals it while it sleeps in system call `number`, which is no stop, then lets it go
  // with `release`, and expects `block` to return true.
  void ExpectOutlastsASignal(long number, const std::function<bool()>& block, const std::function<void()>& release) {
    std::atomic<pid_t> tid{0};
    bool result = false;
    std::thread worker([&] {
      tid = gettid();
      result = block();
    });
    while (tid == 0) sched_yield();
    const std::string path = absl::StrCat("/proc/self/task/", tid.load(), "/syscall");
    const std::string wanted = absl::StrCat(number, " 0x");
    while (!absl::StartsWith(ReadFile(path).value_or(""), wanted)) sched_yield();
    const int before = signals;
    pthread_kill(worker.native_handle(), SIGUSR1);
    while (signals == before) sched_yield();
    release();
    worker.join();
    EXPECT_TRUE(result);
  }

  void FillPipe() {
    fcntl(write_end_.get(), F_SETFL, O_NONBLOCK);
    while (write(write_end_.get(), "x", 1) == 1) {
    }
    fcntl(write_end_.get(), F_SETFL, 0);
  }

  MeterFixture record_;
  Meter meter_;
  UniqueFd read_end_;
  UniqueFd write_end_;
};

TEST_F(BlockingTest, AReadEndsAtAStop) {
  char byte;
  ExpectEndsAtStop([&] { return ReadByte(meter_, read_end_.get(), &byte); });
}

TEST_F(BlockingTest, AWriteToAFullPipeEndsAtAStop) {
  FillPipe();
  ExpectEndsAtStop([&] { return WriteByte(meter_, write_end_.get(), 'x'); });
}

TEST_F(BlockingTest, AFutexWaitEndsAtAStop) {
  std::atomic<uint32_t> word{7};
  ExpectEndsAtStop([&] { return FutexWaitWhile(meter_, word, 7); });
}

TEST_F(BlockingTest, ALongSleepEndsAtAStop) {
  ExpectEndsAtStop([&] { return SleepFor(meter_, UINT64_MAX); });
}

TEST_F(BlockingTest, AWaitForStopEndsAtAStop) {
  ExpectEndsAtStop([&] {
    WaitForStop(meter_);
    return false;
  });
}

TEST_F(BlockingTest, AWaitForAChildThatStaysEndsAtAStopAndKillsIt) {
  const pid_t child = fork();
  if (child == 0) {
    while (true) pause();
  }
  int status;
  ExpectEndsAtStop([&] { return WaitForChild(meter_, child, &status); });
  EXPECT_EQ(waitpid(child, &status, WNOHANG), -1) << "reaped already";
  EXPECT_EQ(errno, ECHILD);
}

// Without any signal: a sleeper is woken by the stop, a futex waiter sees it after a slice.
TEST_F(BlockingTest, SleepsAndFutexWaitsEndAtAStopWithoutASignal) {
  std::atomic<uint32_t> word{7};
  std::atomic<bool> futex_result{true};
  std::atomic<bool> sleep_result{true};
  std::thread waiter([&] { futex_result = FutexWaitWhile(meter_, word, 7); });
  std::thread sleeper([&] { sleep_result = SleepFor(meter_, 3'600'000 * kMs); });
  record_.Stop();
  waiter.join();
  sleeper.join();
  EXPECT_FALSE(futex_result);
  EXPECT_FALSE(sleep_result);
}

// What a long sleep blocks in: proc(5), /proc/PID/syscall.
TEST_F(BlockingTest, ALongSleepWaitsAtTheStopWord) {
  std::atomic<pid_t> tid{0};
  std::thread sleeper([&] {
    tid = gettid();
    EXPECT_FALSE(SleepFor(meter_, UINT64_MAX));
  });
  while (tid == 0) sched_yield();
  const std::string path = absl::StrCat("/proc/self/task/", tid.load(), "/syscall");
  const std::string wanted = absl::StrFormat("%d 0x%x ", SYS_futex, reinterpret_cast<uintptr_t>(&meter_.stop_word()));
  std::string seen;
  const uint64_t deadline_ns = MonotonicNs() + 20'000 * kMs;
  while (!absl::StartsWith(seen, wanted) && MonotonicNs() < deadline_ns) seen = ReadFile(path).value_or("");
  EXPECT_TRUE(absl::StartsWith(seen, wanted)) << seen << " is not " << wanted;
  record_.Stop();
  sleeper.join();
}

TEST_F(BlockingTest, BytesPassThrough) {
  char byte = 0;
  ASSERT_TRUE(WriteByte(meter_, write_end_.get(), 'z'));
  ASSERT_TRUE(ReadByte(meter_, read_end_.get(), &byte));
  EXPECT_EQ(byte, 'z');
}

TEST_F(BlockingTest, AReadOutlastsASignalThatIsNoStop) {
  char byte = 0;
  ExpectOutlastsASignal(
      SYS_read, [&] { return ReadByte(meter_, read_end_.get(), &byte); },
      [&] { EXPECT_EQ(write(write_end_.get(), "z", 1), 1); });
  EXPECT_EQ(byte, 'z');
}

TEST_F(BlockingTest, AWriteOutlastsASignalThatIsNoStop) {
  FillPipe();
  ExpectOutlastsASignal(
      SYS_write, [&] { return WriteByte(meter_, write_end_.get(), 'z'); },
      [&] {
        char page[4096];
        EXPECT_EQ(read(read_end_.get(), page, sizeof(page)), static_cast<ssize_t>(sizeof(page)));
      });
}

TEST_F(BlockingTest, AReadAtTheEndOfTheFileIsFalse) {
  write_end_.Reset();
  char byte;
  EXPECT_FALSE(ReadByte(meter_, read_end_.get(), &byte));
}

TEST_F(BlockingTest, ASleepIsNotShort) {
  const uint64_t start_ns = MonotonicNs();
  ASSERT_TRUE(SleepFor(meter_, 3 * kMs));
  EXPECT_GE(MonotonicNs() - start_ns, 3 * kMs);
  const uint64_t deadline_ns = MonotonicNs() + 150 * kMs;
  ASSERT_TRUE(SleepUntil(meter_, deadline_ns)) << "longer than a slice";
  EXPECT_GE(MonotonicNs(), deadline_ns);
}

TEST_F(BlockingTest, AFutexWaitSeesAChangeAndAWake) {
  std::atomic<uint32_t> word{1};
  EXPECT_TRUE(FutexWaitWhile(meter_, word, 0)) << "changed already";
  std::thread waker([&] {
    word = 2;
    arena::FutexWake(&word, 1);
  });
  EXPECT_TRUE(FutexWaitWhile(meter_, word, 1));
  waker.join();
}

TEST_F(BlockingTest, AChildThatEndsIsReapedWithItsStatus) {
  const pid_t child = fork();
  if (child == 0) _exit(7);
  int status = 0;
  ASSERT_TRUE(WaitForChild(meter_, child, &status));
  EXPECT_EQ(WEXITSTATUS(status), 7);
  EXPECT_FALSE(WaitForChild(meter_, child, &status)) << "no such child any more";
}

}  // namespace
}  // namespace muster
