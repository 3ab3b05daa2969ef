// What the bare loops share. Each is what somebody would write by hand who wants nothing but the number: no telemetry,
// no protocol, no allocation in the loop.
#ifndef MUSTER_TESTS_BENCH_BARE_BARE_H_
#define MUSTER_TESTS_BENCH_BARE_BARE_H_

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"

namespace muster::bench {

using Arguments = std::vector<std::string>;

// Prints "name value", which the driver reads.
void Say(const char* name, double value);
// Ends the process with the errno of `what`.
[[noreturn]] void Fail(const char* what);
// The argument as a number; ends the process when there is none.
uint64_t Number(const Arguments& arguments, size_t index);

// Zeroed memory that children inherit, with its pages in place.
void* SharedBytes(size_t bytes);
template <typename T>
T* Shared(size_t count = 1) {
  return static_cast<T*>(SharedBytes(count * sizeof(T)));
}

using Word = std::atomic<uint32_t>;
void Wait(const Word& word, uint32_t expected);
int Wake(const Word& word, uint32_t count);

// Children of the calling process; each dies with it.
class Children {
 public:
  // Killed and reaped when destroyed.
  ~Children() { KillAndReap(); }

  // clone3 of `count` children, each of which runs `live(index)` and exits. `cgroup` is a directory descriptor to be
  // born in, or -1.
  void Make(uint32_t count, const std::function<void(uint32_t)>& live, int cgroup = -1);
  // Signals all, then waits for each by its pid.
  void KillAndReap();
  const std::vector<pid_t>& pids() const { return pids_; }

 private:
  std::vector<pid_t> pids_;
};

// Counts up to a number, and wakes all who wait for that.
class Meeting {
 public:
  static Meeting* Make(uint32_t expected);
  void Arrive();
  void Await();

 private:
  Word count_;
  Word done_;
  uint32_t expected_;
};

// The commands; each returns the exit code.
int Spawn(const Arguments& arguments);
int DieWithParent(const Arguments& arguments);
int Release(const Arguments& arguments);
int ReleaseByPipes(const Arguments& arguments);
int Place(const Arguments& arguments);
int Stop(const Arguments& arguments);
int Loop(const Arguments& arguments);
int Timer(const Arguments& arguments);
int RoundTrip(const Arguments& arguments);
int Bulk(const Arguments& arguments);
int Populate(const Arguments& arguments);

}  // namespace muster::bench

#endif  // MUSTER_TESTS_BENCH_BARE_BARE_H_
