// The bare limits: bare COMMAND ARGUMENTS… prints lines of a name and a number.
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/bench/bare/bare.h"

namespace muster::bench {
namespace {

int In(const Arguments& arguments);

struct Command {
  const char* name;
  int (*run)(const Arguments&);
  const char* usage;
};

constexpr Command kCommands[] = {
    {"spawn", Spawn, "WORKERS [CGROUP]: clone3 until all wait, then kill all and reap each"},
    {"die", DieWithParent, "WORKERS: prints their pids and waits to be killed; they die by PDEATHSIG"},
    {"release", Release, "WORKERS: all wait at one futex; one FUTEX_WAKE"},
    {"pipes", ReleaseByPipes, "WORKERS: each waits at its own pipe; one write each"},
    {"place", Place, "WORKERS CGROUP: writes to its cgroup.procs"},
    {"stop", Stop, "WORKERS: spinners that look at one shared flag"},
    {"loop", Loop, "SHAPE MILLISECONDS [together|apart]: iterations per second of a work loop without telemetry"},
    {"timer", Timer, "INTERVAL_US MILLISECONDS [CPU]: lateness of clock_nanosleep"},
    {"round-trip", RoundTrip, "BYTES COUNT [FIFO]: request and answer over a unix socket"},
    {"bulk", Bulk, "BYTES COUNT: one-way over a unix socket"},
    {"in", In, "CGROUP COMMAND ARGUMENTS: any of these, from within a cgroup"},
    {"populate", Populate,
     "BYTES COUNT: gives memory of one file its pages, and maps it piece by piece in new processes"},
};

// Runs the command that the words begin with.
int Run(const Arguments& words) {
  for (const Command& command : kCommands) {
    if (!words.empty() && command.name == words[0]) return command.run({words.begin() + 1, words.end()});
  }
  for (const Command& command : kCommands) fprintf(stderr, "bare %s %s\n", command.name, command.usage);
  return 64;
}

int In(const Arguments& arguments) {
  if (arguments.empty()) return Run({});
  const int procs = open((arguments[0] + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC);
  // Zero is who writes it.
  if (procs < 0 || write(procs, "0", 1) != 1) Fail(arguments[0].c_str());
  close(procs);
  return Run({arguments.begin() + 1, arguments.end()});
}

}  // namespace
}  // namespace muster::bench

int main(int argc, char** argv) { return muster::bench::Run({argv + (argc > 0 ? 1 : 0), argv + argc}); }
