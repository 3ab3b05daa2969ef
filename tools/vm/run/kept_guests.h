// Guests that `muster vm run --keep` has left running.
#ifndef MUSTER_TOOLS_VM_RUN_KEPT_GUESTS_H_
#define MUSTER_TOOLS_VM_RUN_KEPT_GUESTS_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace muster::vm {

struct KeptGuest {
  std::string directory;
  // For a client.
  std::string address;
  // QEMU, and the vsock device where there is one. Either may have ended.
  std::vector<pid_t> pids;
};

// Writes what the functions below read.
absl::Status RecordKeptGuest(const KeptGuest& guest);

// Those of which a process still runs: after a guest has ended by itself that is its vsock device, until
// StopKeptGuest. Folders of guests that somebody is using right now are not among them.
absl::StatusOr<std::vector<KeptGuest>> ListKeptGuests(const std::string& root);

// Kills its processes, waits for their end, removes its folder. A pid that has become another program's is left alone.
absl::Status StopKeptGuest(const KeptGuest& guest);

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_RUN_KEPT_GUESTS_H_
