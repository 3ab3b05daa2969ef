// Every way in which a worker can misbehave, as words of one function's config: Custom { function { name: "misbehave"
// config: "ignore_stop leave_group" } }. The words act in their order, once, when the function starts; a worker that
// survives them counts iterations until it is stopped.
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <map>
#include <stdexcept>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "base/file_io.h"
#include "worker/core/function.h"

namespace muster {
namespace {

[[noreturn]] void BlockForEver() {
  while (true) pause();
}

void Crash() {
  signal(SIGSEGV, SIG_DFL);  // a sanitizer's handler would turn it into an exit
  raise(SIGSEGV);
}

void IgnoreStop() {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, nullptr);
  BlockForEver();
}

// Blocks just after the stop's signal came: what happens to a worker between its look at the stop word and its blocking
// call.
void MissSignal() {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGUSR1);
  sigprocmask(SIG_BLOCK, &stop, nullptr);
  int signal_number = 0;
  sigwait(&stop, &signal_number);
  sigprocmask(SIG_UNBLOCK, &stop, nullptr);
  pause();
}

// A child that holds every descriptor, ignores what can be ignored, and outlives its parent.
void Beget(bool in_own_group) {
  const pid_t child = fork();
  if (child < 0) abort();
  if (child != 0) return;
  if (in_own_group) setpgid(0, 0);
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, nullptr);
  BlockForEver();
}

// Writes over all of the arena that the worker can reach.
void Scribble() {
  const absl::StatusOr<std::string> maps = ReadFile("/proc/self/maps");
  for (const absl::string_view line : absl::StrSplit(maps.value_or(""), '\n')) {
    unsigned long begin = 0;
    unsigned long end = 0;
    char access[5] = {};
    if (line.find("muster-arena") == absl::string_view::npos) continue;
    if (sscanf(std::string(line).c_str(), "%lx-%lx %4s", &begin, &end, access) != 3) continue;
    // Read-only parts cannot be made writable either.
    if (access[1] != 'w' && mprotect(reinterpret_cast<void*>(begin), end - begin, PROT_READ | PROT_WRITE) != 0)
      continue;
    memset(reinterpret_cast<void*>(begin), 0xa5, end - begin);
  }
}

void Misbehave(FunctionContext& context) {
  const std::map<absl::string_view, void (*)()> words = {
      {"exit_3", [] { _exit(3); }},
      {"abort", [] { abort(); }},
      {"segfault", Crash},
      {"kill_self", [] { kill(getpid(), SIGKILL); }},
      {"stop_self", [] { kill(getpid(), SIGSTOP); }},
      {"ignore_stop", IgnoreStop},
      {"miss_signal", MissSignal},
      {"await_signal", [] { pause(); }},
      {"leave_group",
       [] {
         setsid();
         setpgid(0, getppid());
       }},
      {"grandchild", [] { Beget(false); }},
      {"stray", [] { Beget(true); }},
      {"scribble", Scribble},
      {"throw", [] { throw std::runtime_error("thrown by the work"); }},
      {"return", nullptr},
  };
  // Says that the function has begun: a stop before that would keep it from misbehaving.
  context.EndIteration();
  for (const absl::string_view word : absl::StrSplit(context.config(), ' ', absl::SkipEmpty())) {
    if (word == "return") return;
    words.at(word)();
  }
  while (!context.stopping()) {
    context.AddUnits(1);
    context.EndIteration();
  }
}
MUSTER_REGISTER_FUNCTION("misbehave", Misbehave);

}  // namespace
}  // namespace muster
