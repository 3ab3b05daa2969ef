#include "tools/cli/stop_signals.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>

#include "base/mutex.h"
#include "base/no_threads_testing.h"

namespace muster {
namespace {

Deadline Soon() { return Deadline::After(absl::Seconds(10)); }

TEST(StopSignalsTest, SignalWakesInPlaceOfKilling) {
  absl::StatusOr<StopSignals> signals = StopSignals::Take();
  ASSERT_TRUE(signals.ok()) << signals.status();
  for (const int signal : {SIGINT, SIGTERM}) {
    kill(getpid(), signal);
    EXPECT_EQ(signals->WaitUntil(Soon()), StopSignals::Wake::kSignal);
  }
}

TEST(StopSignalsTest, DeadlineAndInterruptAreToldApart) {
  absl::StatusOr<StopSignals> signals = StopSignals::Take();
  EXPECT_EQ(signals->WaitUntil(Deadline::After(absl::ZeroDuration())), StopSignals::Wake::kDeadline);
  signals->Interrupt();
  EXPECT_EQ(signals->WaitUntil(Soon()), StopSignals::Wake::kInterrupt);
  EXPECT_EQ(signals->WaitUntil(Deadline::After(absl::ZeroDuration())), StopSignals::Wake::kDeadline);
}

TEST(StopSignalsTest, RequestIsToldFromASignal) {
  absl::StatusOr<StopSignals> signals = StopSignals::Take();
  ASSERT_TRUE(RequestStop().ok());
  EXPECT_EQ(signals->WaitUntil(Soon()), StopSignals::Wake::kRequest);
  kill(getpid(), SIGTERM);
  EXPECT_EQ(signals->WaitUntil(Soon()), StopSignals::Wake::kSignal);
}

bool IsTaken(int signal) {
  const Deadline deadline = Soon();
  sigset_t pending;
  do {
    sigpending(&pending);
  } while (sigismember(&pending, signal) == 1 && !deadline.Expired());
  return sigismember(&pending, signal) == 0;
}

// It would be taken for the second signal, which drops what the first wants collected.
TEST(StopSignalsTest, GuardTellsARequestFromASignal) {
  absl::StatusOr<StopSignals> signals = StopSignals::Take();
  std::atomic<int> calls = 0;
  std::atomic<int> requests = 0;
  {
    const auto guard = SignalGuard::Start(
        *signals, [&] { ++calls; }, [&] { ++requests; });
    ASSERT_TRUE(guard.ok()) << guard.status();
    ASSERT_TRUE(RequestStop().ok());
    EXPECT_TRUE(IsTaken(SIGTERM));
    kill(getpid(), SIGINT);
    EXPECT_TRUE(IsTaken(SIGINT));
  }
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(requests, 1);
}

TEST(StopSignalsTest, EndGivesTheSignalsBack) {
  sigset_t mask;
  { absl::StatusOr<StopSignals> signals = StopSignals::Take(); }
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  EXPECT_EQ(sigismember(&mask, SIGINT), 0);
}

TEST(StopSignalsTest, GuardCallsForEachSignalUntilItEnds) {
  absl::StatusOr<StopSignals> signals = StopSignals::Take();
  Mutex mutex;
  CondVar changed;
  int calls = 0;
  // Left behind by somebody who no longer waits.
  signals->Interrupt();
  {
    const auto guard = SignalGuard::Start(*signals, [&] {
      MutexLock lock(&mutex);
      ++calls;
      changed.NotifyAll();
    });
    for (int i = 1; i <= 2; ++i) {
      kill(getpid(), SIGINT);
      MutexLock lock(&mutex);
      while (calls < i) ASSERT_TRUE(changed.WaitUntil(&mutex, Soon().when()));
    }
  }
  EXPECT_EQ(calls, 2);
}

TEST(StopSignalsTest, WithoutRoomForAThreadThereIsNoGuard) {
  absl::StatusOr<StopSignals> signals = StopSignals::Take();
  const NoThreadsForTesting full;
  const auto guard = SignalGuard::Start(*signals, [] {});
  EXPECT_EQ(guard.status().code(), absl::StatusCode::kResourceExhausted) << guard.status();
}

// An end that its thread did not wait for any more woke the run that came after, which stopped as it began.
TEST(StopSignalsTest, EndOfAGuardWakesNobodyElse) {
  absl::StatusOr<StopSignals> signals = StopSignals::Take();
  for (int round = 0; round < 1'000; ++round) {
    {
      ASSERT_TRUE(SignalGuard::Start(*signals, [] {}).ok());
    }
    ASSERT_EQ(signals->WaitUntil(Deadline::After(absl::ZeroDuration())), StopSignals::Wake::kDeadline)
        << "in round " << round;
  }
}

}  // namespace
}  // namespace muster
