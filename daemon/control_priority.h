// The daemon above the load that it makes.
#ifndef MUSTER_DAEMON_CONTROL_PRIORITY_H_
#define MUSTER_DAEMON_CONTROL_PRIORITY_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace muster {

// Puts the calling thread, and all that it makes later, at SCHED_FIFO `priority` (1 to 99). Programs that it starts
// inherit it too.
absl::Status RaiseControlPriority(int priority);

// From now on, a thread of this process that runs at a real-time priority for `longest` without ever blocking goes on
// as an ordinary one, and a line in the log says so: a fault of ours must not hang the machine. SIGXCPU must not be
// blocked. Programs that this process starts inherit the limit (RLIMIT_RTTIME) and not the handler; they reset it with
// LiftRealTimeLimit.
absl::Status GuardAgainstRealTimeLoops(absl::Duration longest);

// No limit any more for this process.
absl::Status LiftRealTimeLimit();

// Policy of the calling thread, as "SCHED_FIFO 99" or "SCHED_OTHER nice 0".
std::string DescribePolicy();

}  // namespace muster

#endif  // MUSTER_DAEMON_CONTROL_PRIORITY_H_
