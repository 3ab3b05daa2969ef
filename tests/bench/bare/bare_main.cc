// The bare limits: bare COMMAND ARGUMENTS… prints lines of a name and a number.
#include <stdio.h>

#include "tests/bench/bare/bare.h"

namespace muster::bench {
namespace {

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
    {"populate", Populate, "BYTES COUNT: gives memory of one file its pages, and maps it piece by piece in new processes"},
};

int Main(int argc, char** argv) {
  const Arguments arguments(argv + (argc < 2 ? argc : 2), argv + argc);
  for (const Command& command : kCommands) {
    if (argc > 1 && command.name == std::string(argv[1])) return command.run(arguments);
  }
  for (const Command& command : kCommands) fprintf(stderr, "bare %s %s\n", command.name, command.usage);
  return 64;
}

}  // namespace
}  // namespace muster::bench

int main(int argc, char** argv) { return muster::bench::Main(argc, argv); }
