// What `muster` ends with.
#ifndef MUSTER_TOOLS_CLI_EXIT_CODE_H_
#define MUSTER_TOOLS_CLI_EXIT_CODE_H_

#include <string>

#include "absl/status/status.h"
#include "client/worker_verdict.h"

namespace muster {

// From 64 on the numbers of sysexits.h.
enum ExitCode {
  kExitGood = 0,
  // A worker starved or died.
  kExitStarved = 1,
  // It cannot be told whether the workers did their work.
  kExitCannotTell = 2,
  // Wrong flags or arguments.
  kExitUsage = 64,
  // The spec does not parse, or the daemon refused it.
  kExitBadSpec = 65,
  // A file, a pool or a cgroup that was named is not there.
  kExitNotFound = 66,
  // The daemon cannot be reached, did not answer in time, or could not be started.
  kExitUnavailable = 69,
  // A defect of muster.
  kExitInternal = 70,
  // A file could not be read or written.
  kExitIo = 74,
  // A limit was reached, or something was in the way; may go better later.
  kExitTryLater = 75,
  // The daemon does not let us.
  kExitNotPermitted = 77,
  // The machine lacks something: a controller, a capability, a program.
  kExitPrecondition = 78,
  // SIGINT or SIGTERM came before there was a workload to stop, or while its results were printed.
  kExitInterrupted = 130,
};

// For an error of the library or the daemon.
ExitCode ExitCodeOf(const absl::Status& status);

ExitCode ExitCodeOf(Verdict verdict);

// The table for --help, one line each.
std::string DescribeExitCodes();

}  // namespace muster

#endif  // MUSTER_TOOLS_CLI_EXIT_CODE_H_
