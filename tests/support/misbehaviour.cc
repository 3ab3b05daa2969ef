// Every way in which a worker can misbehave, as functions of one worker binary.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <stdexcept>
#include <string>

#include "absl/strings/numbers.h"
#include "worker/arena/layout.h"
#include "worker/core/function.h"
#include "worker/host/worker_main.h"

namespace muster {
namespace {

// Counts until it is stopped: what a good function does.
void Behave(FunctionContext& context) {
  while (!context.stopping()) {
    context.AddUnits(1);
    context.EndIteration();
  }
}

// Works a little, so that a record with something in it exists.
void WorkALittle(FunctionContext& context) {
  for (int i = 0; i < 4096; ++i) {
    context.AddUnits(1);
    context.EndIteration();
  }
}

// Misbehaves only in the worker that the config names ("3"), or in all when it is empty; the others behave.
bool IsMyTurn(const FunctionContext& context) {
  uint32_t worker = 0;
  return context.config().empty() || (absl::SimpleAtoi(context.config(), &worker) && context.place().worker == worker);
}

template <void (*misbehave)(FunctionContext&)>
void Misbehave(FunctionContext& context) {
  WorkALittle(context);
  if (IsMyTurn(context)) misbehave(context);
  Behave(context);
}

void Exit(FunctionContext&) { _exit(42); }
void Abort(FunctionContext&) { abort(); }
void Segfault(FunctionContext&) {
  signal(SIGSEGV, SIG_DFL);  // a sanitizer's handler would turn it into an exit
  raise(SIGSEGV);
}
void KillItself(FunctionContext&) { kill(getpid(), SIGKILL); }
void StopItself(FunctionContext&) { kill(getpid(), SIGSTOP); }
void Throw(FunctionContext&) { throw std::runtime_error("a work function threw this"); }

void IgnoreTheStop(FunctionContext&) {
  signal(SIGUSR1, SIG_IGN);
  while (true) pause();
}

// Finds the own control pages, the only writable shared mapping of the arena, and fills them with garbage; then exits
// as if all were well.
void WriteGarbage(FunctionContext&) {
  FILE* maps = fopen("/proc/self/maps", "re");
  char line[512];
  while (maps != nullptr && fgets(line, sizeof(line), maps) != nullptr) {
    unsigned long begin = 0, end = 0;
    char permissions[8] = {};
    if (sscanf(line, "%lx-%lx %7s", &begin, &end, permissions) != 3) continue;
    if (strstr(line, "muster-arena") == nullptr || permissions[1] != 'w') continue;
    for (unsigned long at = begin; at + 8 <= end && at < begin + arena::kControlBytes; at += 8) {
      *reinterpret_cast<volatile uint64_t*>(at) = 0x9e3779b97f4a7c15 * (at + 1);
    }
  }
  _exit(0);
}

// A grandchild that holds every descriptor and mapping; `leave_group` also takes it out of the worker's process group.
void MakeGrandchild(bool leave_group) {
  const pid_t child = fork();
  if (child != 0) return;
  if (leave_group) setsid();
  signal(SIGUSR1, SIG_IGN);
  signal(SIGTERM, SIG_IGN);
  while (true) pause();
}
void Grandchild(FunctionContext&) { MakeGrandchild(false); }
void GrandchildAway(FunctionContext&) { MakeGrandchild(true); }

// The config holds a path: the worker appends a line there, as proof that it ran.
void LeaveTrace(FunctionContext& context) {
  const int fd = open(std::string(context.config()).c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  [[maybe_unused]] const ssize_t done = write(fd, "ran\n", 4);
  close(fd);
  Behave(context);
}

}  // namespace

MUSTER_REGISTER_FUNCTION("behave", Behave);
constexpr WorkFunction kExit = Misbehave<Exit>;
constexpr WorkFunction kAbort = Misbehave<Abort>;
constexpr WorkFunction kSegfault = Misbehave<Segfault>;
constexpr WorkFunction kKill = Misbehave<KillItself>;
constexpr WorkFunction kStop = Misbehave<StopItself>;
constexpr WorkFunction kThrow = Misbehave<Throw>;
constexpr WorkFunction kIgnore = Misbehave<IgnoreTheStop>;
constexpr WorkFunction kGarbage = Misbehave<WriteGarbage>;
constexpr WorkFunction kGrandchild = Misbehave<Grandchild>;
constexpr WorkFunction kGrandchildAway = Misbehave<GrandchildAway>;
static const FunctionRegistration kRegistrations[] = {
    {"exit", kExit},
    {"abort", kAbort},
    {"segfault", kSegfault},
    {"kill", kKill},
    {"stop", kStop},
    {"throw", kThrow},
    {"ignore", kIgnore},
    {"garbage", kGarbage},
    {"grandchild", kGrandchild},
    {"grandchild_away", kGrandchildAway},
    {"trace", LeaveTrace},
};

}  // namespace muster

int main(int argc, char** argv) { return muster::WorkerMain(argc, argv); }
