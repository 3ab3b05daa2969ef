// Releasing many processes at once, and stopping them.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "tests/bench/bare/bare.h"

namespace muster::bench {
namespace {

struct alignas(64) Line {
  std::atomic<uint64_t> at_ns;
  Word word;
};

void BlockForever(Line* line) {
  while (true) Wait(line->word, 0);
}

uint64_t Last(const Line* lines, uint32_t count) {
  uint64_t last = 0;
  for (uint32_t i = 0; i < count; ++i) last = std::max(last, lines[i].at_ns.load());
  return last;
}

}  // namespace

int Release(const Arguments& arguments) {
  const uint32_t workers = Number(arguments, 0);
  Line* const lines = Shared<Line>(workers);
  Line* const gate = Shared<Line>();
  Meeting* const ready = Meeting::Make(workers);
  Meeting* const through = Meeting::Make(workers);
  Children children;
  children.Make(workers, [=](uint32_t index) {
    lines[index].at_ns.store(0);
    ready->Arrive();
    while (gate->word.load() == 0) Wait(gate->word, 0);
    lines[index].at_ns.store(MonotonicNs());
    through->Arrive();
    BlockForever(&lines[index]);
  });
  ready->Await();
  // The last to arrive may not wait yet.
  usleep(20'000);
  const uint64_t began_ns = MonotonicNs();
  gate->word.store(1);
  Wake(gate->word, workers);
  Say("release_ns", MonotonicNs() - began_ns);
  through->Await();
  Say("last_ns", Last(lines, workers) - began_ns);
  return 0;
}

int ReleaseByPipes(const Arguments& arguments) {
  const uint32_t workers = Number(arguments, 0);
  std::vector<int> ends;
  Meeting* const ready = Meeting::Make(workers);
  Meeting* const through = Meeting::Make(workers);
  Line* const lines = Shared<Line>(workers);
  Children children;
  for (uint32_t i = 0; i < workers; ++i) {
    int pipe[2];
    if (pipe2(pipe, O_CLOEXEC) != 0) Fail("pipe2");
    children.Make(1, [=](uint32_t) {
      ready->Arrive();
      char byte;
      if (read(pipe[0], &byte, 1) == 1) through->Arrive();
      BlockForever(&lines[i]);
    });
    close(pipe[0]);
    ends.push_back(pipe[1]);
  }
  ready->Await();
  usleep(20'000);
  const uint64_t began_ns = MonotonicNs();
  for (const int end : ends) {
    if (write(end, "x", 1) != 1) Fail("write to a worker's pipe");
  }
  Say("release_ns", MonotonicNs() - began_ns);
  through->Await();
  return 0;
}

int Stop(const Arguments& arguments) {
  const uint32_t workers = Number(arguments, 0);
  Line* const lines = Shared<Line>(workers);
  Line* const flag = Shared<Line>();
  Meeting* const running = Meeting::Make(workers);
  Meeting* const stopped = Meeting::Make(workers);
  Children children;
  children.Make(workers, [=](uint32_t index) {
    running->Arrive();
    while (flag->word.load(std::memory_order_relaxed) == 0) __builtin_ia32_pause();
    lines[index].at_ns.store(MonotonicNs());
    stopped->Arrive();
    BlockForever(&lines[index]);
  });
  running->Await();
  usleep(200'000);
  const uint64_t began_ns = MonotonicNs();
  flag->word.store(1);
  stopped->Await();
  Say("last_stop_ns", Last(lines, workers) - began_ns);
  return 0;
}

}  // namespace muster::bench
