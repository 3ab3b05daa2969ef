// Work loops of the shapes of our work types, without telemetry. Each counts its iterations in a register and looks at
// a stop word, and does nothing else that the shape does not need.
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "tests/bench/bare/bare.h"

namespace muster::bench {
namespace {

constexpr size_t kPage = 4096;
// Of PageFaultChurn's defaults.
constexpr uint64_t kRegionPages = 1024;
constexpr uint64_t kTouches = 256;
// Of FutexFanOut: receivers per messenger, and what the messenger spins after each wake.
constexpr uint32_t kFanOut = 4;
constexpr uint64_t kSpinAfterWake = 256;
// Of MutexContention.
constexpr uint32_t kContenders = 4;
constexpr uint64_t kHoldSteps = 16;
constexpr uint64_t kFreeSteps = 48;

struct alignas(64) Slot {
  uint64_t iterations;
  uint64_t took_ns;
  uint64_t cpu_ns;
};

// What the processes of one loop share.
struct Floor {
  alignas(64) Word stop;
  alignas(64) Word word;
  int pipes[2][2];
  Slot slots[8];

  bool stopped() const { return stop.load(std::memory_order_relaxed) != 0; }
};

inline void Spin(uint64_t steps) {
  for (uint64_t i = 0; i < steps; ++i) {
    asm volatile("" : "+r"(i));
    __builtin_ia32_pause();
  }
}

uint64_t SpinLoop(Floor* floor, uint32_t) {
  uint64_t units = 0;
  while (!floor->stopped()) {
    for (uint32_t i = 0; i < 1024; ++i) {
      ++units;
      asm volatile("" : "+r"(units));
      __builtin_ia32_pause();
    }
  }
  return units;
}

uint64_t PipeLoop(Floor* floor, uint32_t position) {
  uint64_t iterations = 0;
  char byte = 0;
  while (!floor->stopped()) {
    Spin(1);
    if (write(floor->pipes[1 - position][1], &byte, 1) != 1 || read(floor->pipes[position][0], &byte, 1) != 1) break;
    ++iterations;
  }
  return iterations;
}

void WaitWhile(Floor* floor, uint32_t value) {
  const timespec slice = {0, 100'000'000};
  while (floor->word.load(std::memory_order_acquire) == value && !floor->stopped()) {
    syscall(SYS_futex, &floor->word, FUTEX_WAIT, value, &slice, nullptr, 0);
  }
}

uint64_t FutexLoop(Floor* floor, uint32_t position) {
  uint64_t iterations = 0;
  WaitWhile(floor, 1 - position);
  while (!floor->stopped()) {
    Spin(1);
    floor->word.store(1 - position, std::memory_order_release);
    Wake(floor->word, 1);
    WaitWhile(floor, 1 - position);
    ++iterations;
  }
  return iterations;
}

uint64_t FanOutLoop(Floor* floor, uint32_t position) {
  uint64_t iterations = 0;
  while (!floor->stopped()) {
    Spin(1);
    if (position == 0) {
      floor->word.fetch_add(1, std::memory_order_release);
      Wake(floor->word, kFanOut);
      Spin(kSpinAfterWake);
    } else {
      WaitWhile(floor, floor->word.load(std::memory_order_acquire));
    }
    ++iterations;
  }
  return iterations;
}

uint64_t FaultLoop(Floor* floor, uint32_t) {
  void* const map =
      mmap(nullptr, kRegionPages * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (map == MAP_FAILED) return 0;
  madvise(map, kRegionPages * kPage, MADV_NOHUGEPAGE);
  volatile char* const base = static_cast<volatile char*>(map);
  uint64_t random = 88172645463325252;
  uint64_t iterations = 0;
  while (!floor->stopped()) {
    for (uint64_t i = 0; i < kTouches; ++i) {
      random ^= random << 13;
      random ^= random >> 7;
      random ^= random << 17;
      base[random % kRegionPages * kPage] = 1;
    }
    madvise(map, kRegionPages * kPage, MADV_DONTNEED);
    Spin(64);
    ++iterations;
  }
  return iterations;
}

uint64_t YieldLoop(Floor* floor, uint32_t) {
  uint64_t iterations = 0;
  for (; !floor->stopped(); ++iterations) sched_yield();
  return iterations;
}

uint64_t ForkLoop(Floor* floor, uint32_t) {
  uint64_t iterations = 0;
  for (; !floor->stopped(); ++iterations) {
    const long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0) {
      for (;;) syscall(SYS_exit_group, 0);
    }
    if (child < 0) break;
    waitpid(static_cast<pid_t>(child), nullptr, 0);
  }
  return iterations;
}

uint64_t MutexLoop(Floor* floor, uint32_t) {
  uint64_t iterations = 0;
  while (!floor->stopped()) {
    Spin(kFreeSteps);
    uint32_t seen = 0;
    if (!floor->word.compare_exchange_strong(seen, 1, std::memory_order_acquire)) {
      while (floor->word.exchange(2, std::memory_order_acquire) != 0 && !floor->stopped()) {
        const timespec slice = {0, 100'000'000};
        syscall(SYS_futex, &floor->word, FUTEX_WAIT, 2, &slice, nullptr, 0);
      }
    }
    Spin(kHoldSteps);
    if (floor->word.exchange(0, std::memory_order_release) == 2) Wake(floor->word, 1);
    ++iterations;
  }
  return iterations;
}

struct Shape {
  const char* name;
  uint32_t processes;
  uint64_t (*run)(Floor* floor, uint32_t position);
};

constexpr Shape kShapes[] = {
    {"spin", 1, SpinLoop},   {"pipe", 2, PipeLoop},   {"futex", 2, FutexLoop}, {"fan-out", kFanOut + 1, FanOutLoop},
    {"fault", 1, FaultLoop}, {"yield", 1, YieldLoop}, {"fork", 1, ForkLoop},   {"mutex", kContenders, MutexLoop}};

void PinTo(uint64_t cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof(set), &set) != 0) Fail("sched_setaffinity");
}

// Where the processes of a loop run.
enum class Where { kAnywhere, kTogether, kApart };

void RunShape(const Shape& shape, uint64_t run_ms, Where where) {
  Floor* const floor = Shared<Floor>();
  for (auto& pipe : floor->pipes) {
    if (pipe2(pipe, O_CLOEXEC) != 0) Fail("pipe2");
  }
  Meeting* const ready = Meeting::Make(shape.processes);
  Meeting* const gate = Meeting::Make(1);
  Meeting* const done = Meeting::Make(shape.processes);
  Children children;
  children.Make(shape.processes, [=](uint32_t position) {
    Slot& slot = floor->slots[position];
    if (where == Where::kTogether) PinTo(0);
    if (where == Where::kApart) PinTo(position % sysconf(_SC_NPROCESSORS_ONLN));
    ready->Arrive();
    gate->Await();
    const uint64_t began_ns = MonotonicNs();
    const uint64_t began_cpu_ns = ClockNs(CLOCK_THREAD_CPUTIME_ID);
    slot.iterations = shape.run(floor, position);
    slot.cpu_ns = ClockNs(CLOCK_THREAD_CPUTIME_ID) - began_cpu_ns;
    slot.took_ns = MonotonicNs() - began_ns;
    done->Arrive();
    while (true) pause();
  });
  ready->Await();
  gate->Arrive();
  usleep(run_ms * 1000);
  floor->stop.store(1);
  for (auto& pipe : floor->pipes) {
    if (write(pipe[1], "end", 3) != 3) Fail("write at the end");
  }
  Wake(floor->word, 8);
  done->Await();
  double rate = 0, iterations = 0, cpu_ns = 0;
  for (uint32_t i = 0; i < shape.processes; ++i) {
    const Slot& slot = floor->slots[i];
    rate += slot.iterations * 1e9 / slot.took_ns;
    iterations += slot.iterations;
    cpu_ns += slot.cpu_ns;
  }
  Say("per_s", rate);
  // An iteration of each of two is there and back.
  Say("round_trip_ns", 2e9 / rate);
  Say("per_cpu_s", iterations * 1e9 / cpu_ns);
}

}  // namespace

int Loop(const Arguments& arguments) {
  const std::string asked = arguments.size() > 2 ? arguments[2] : "";
  const Where where = asked == "together" ? Where::kTogether : asked == "apart" ? Where::kApart : Where::kAnywhere;
  for (const Shape& shape : kShapes) {
    if (arguments.empty() || arguments[0] != shape.name) continue;
    RunShape(shape, Number(arguments, 1), where);
    return 0;
  }
  for (const Shape& shape : kShapes) fprintf(stderr, "bare loop %s\n", shape.name);
  return 64;
}

int Timer(const Arguments& arguments) {
  const uint64_t interval_ns = Number(arguments, 0) * 1000;
  const uint64_t run_ns = Number(arguments, 1) * 1'000'000;
  if (arguments.size() > 2) PinTo(Number(arguments, 2));
  std::vector<uint64_t> late_ns;
  late_ns.reserve(run_ns / interval_ns + 1);
  const uint64_t began_ns = MonotonicNs();
  for (uint64_t at_ns = began_ns + interval_ns; at_ns < began_ns + run_ns; at_ns += interval_ns) {
    const timespec at = {static_cast<time_t>(at_ns / 1'000'000'000), static_cast<long>(at_ns % 1'000'000'000)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr);
    late_ns.push_back(MonotonicNs() - at_ns);
  }
  double sum = 0;
  for (const uint64_t ns : late_ns) sum += ns;
  std::sort(late_ns.begin(), late_ns.end());
  Say("average_ns", sum / late_ns.size());
  Say("p99_ns", late_ns[late_ns.size() * 99 / 100]);
  return 0;
}

}  // namespace muster::bench
