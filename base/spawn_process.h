// Starting a program with exactly the descriptors it may keep.
#ifndef MUSTER_BASE_SPAWN_PROCESS_H_
#define MUSTER_BASE_SPAWN_PROCESS_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/pidfd.h"

namespace muster {

// The child sees the parent's descriptor `parent_fd` as `child_fd`, without close-on-exec.
struct DescriptorMapping {
  int child_fd = -1;
  int parent_fd = -1;
};

struct SpawnOptions {
  // Path of the program; not searched for on PATH.
  std::string program;
  // All arguments, argv[0] included.
  std::vector<std::string> arguments;
  // "NAME=value"; empty: the caller's environment.
  std::vector<std::string> environment;
  // What the child keeps; every other descriptor is closed in it. Child numbers are distinct and below 256. Of the
  // standard streams, those not listed become /dev/null (0) and the caller's standard error stream (1 and 2).
  std::vector<DescriptorMapping> descriptors;
  // The child leads a session of its own, and so a process group.
  bool new_session = false;
  // The program's heap, stack and mappings lie where they lie each time, the heap right behind its data: fewer pages of
  // page tables for it and its children. ADDR_NO_RANDOMIZE is left set in its personality(2). Where that is not
  // allowed, as always.
  bool fixed_layout = false;
};

// A child; whoever holds this must reap it. Destroying it neither ends nor reaps it.
struct SpawnedProcess {
  pid_t pid = -1;
  Pidfd pidfd;
};

// posix_spawn: cheap for a large parent, safe in a threaded one. The child starts with an empty signal mask and default
// dispositions; scheduling policy, resource limits and credentials are inherited. Returns when the exec has succeeded;
// errors name the program. Nobody else in this process may reap unknown children while it runs.
absl::StatusOr<SpawnedProcess> SpawnProcess(const SpawnOptions& options);

}  // namespace muster

#endif  // MUSTER_BASE_SPAWN_PROCESS_H_
