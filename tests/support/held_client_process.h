// A client process of a test's own (held_client.cc), to be killed or frozen.
#ifndef MUSTER_TESTS_SUPPORT_HELD_CLIENT_PROCESS_H_
#define MUSTER_TESTS_SUPPORT_HELD_CLIENT_PROCESS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/spawn_process.h"

namespace muster {

// Starts one at `address` with a pool of `spec`, a text proto. Returns when its workers run; an error when that takes
// longer than `patience`, or when it could not start them.
absl::StatusOr<SpawnedProcess> StartHeldClient(const std::string& address, const std::string& spec,
                                               absl::Duration patience);

// Kills it with SIGKILL, and waits for its end.
absl::Status KillHeldClient(SpawnedProcess& client, absl::Duration patience);

}  // namespace muster

#endif  // MUSTER_TESTS_SUPPORT_HELD_CLIENT_PROCESS_H_
