#include "worker/core/blocking.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "base/clock.h"
#include "worker/arena/gate.h"

namespace muster {
namespace {

// One absolute sleep; true when it was not interrupted.
bool SleepOnce(uint64_t until_ns) {
  const timespec until = ToTimespec(until_ns);
  return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == 0;
}

// Kills a child and reaps it; not for longer than a slice, since a task may be stuck in the kernel.
void KillAndReap(pid_t child) {
  kill(child, SIGKILL);
  const uint64_t deadline_ns = MonotonicNs() + kBlockSliceNs;
  while (MonotonicNs() < deadline_ns) {
    const pid_t reaped = waitpid(child, nullptr, WNOHANG);
    if (reaped == child || (reaped < 0 && errno != EINTR)) return;
    SleepOnce(MonotonicNs() + 100'000);
  }
}

}  // namespace

bool ReadByteAgain(const Meter& meter, int fd, char* byte) {
  while (!meter.stopping()) {
    const ssize_t got = read(fd, byte, 1);
    if (got == 1) return true;
    if (got == 0 || errno != EINTR) return false;
  }
  return false;
}

bool WriteByteAgain(const Meter& meter, int fd, char byte) {
  while (!meter.stopping()) {
    const ssize_t put = write(fd, &byte, 1);
    if (put == 1) return true;
    if (put == 0 || errno != EINTR) return false;
  }
  return false;
}

bool SleepUntil(const Meter& meter, uint64_t deadline_ns) {
  while (!meter.stopping()) {
    const uint64_t now_ns = MonotonicNs();
    if (now_ns >= deadline_ns) return true;
    const uint64_t left_ns = deadline_ns - now_ns;
    if (left_ns <= kBlockSliceNs) {
      if (SleepOnce(deadline_ns)) return true;
      continue;
    }
    // Where the stop wakes it; the timer whose lateness counts is that of the last part.
    const timespec early = ToTimespec(left_ns - kBlockSliceNs / 2);
    arena::FutexWait(&meter.stop_word(), 0, &early);
  }
  return false;
}

bool SleepFor(const Meter& meter, uint64_t ns) {
  const uint64_t now_ns = MonotonicNs();
  return SleepUntil(meter, now_ns + std::min(ns, UINT64_MAX - now_ns));
}

bool WaitForChild(const Meter& meter, pid_t child, int* status) {
  while (!meter.stopping()) {
    const pid_t reaped = waitpid(child, status, 0);
    if (reaped == child) return true;
    if (errno == EINTR) continue;
    if (errno == ECHILD) return false;
    break;
  }
  KillAndReap(child);
  return false;
}

void WaitForStop(const Meter& meter) {
  while (SleepFor(meter, UINT64_MAX)) {
  }
}

}  // namespace muster
