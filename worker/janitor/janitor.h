// The process that outlives the daemon by seconds, to leave nothing behind.
#ifndef MUSTER_WORKER_JANITOR_JANITOR_H_
#define MUSTER_WORKER_JANITOR_JANITOR_H_

#include "absl/strings/string_view.h"
#include "base/unique_fd.h"

namespace muster {

// What the janitor inherits; see base/janitor_protocol.h.
struct JanitorDescriptors {
  UniqueFd socket;
  UniqueFd base;
  UniqueFd instance;
};

// The whole life of a janitor: ignores SIGTERM, SIGINT, SIGHUP and SIGPIPE, leads a session of its own, waits for the
// daemon's good-bye or death, and after a death kills and removes the instance's cgroups within kJanitorSweepTime.
// Returns the exit code: 0 when nothing is left, 1 after saying on standard error what is.
int RunJanitor(JanitorDescriptors descriptors, absl::string_view instance);

// Main of "--janitor <instance>": adopts the descriptors of base/janitor_protocol.h.
int JanitorMain(int argc, char** argv);

}  // namespace muster

#endif  // MUSTER_WORKER_JANITOR_JANITOR_H_
