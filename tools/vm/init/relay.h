// From the forwarded port to musterd's unix socket.
#ifndef MUSTER_TOOLS_VM_INIT_RELAY_H_
#define MUSTER_TOOLS_VM_INIT_RELAY_H_

#include <sys/types.h>

#include <cstdint>

namespace muster::guest {

// musterd speaks tcp beyond loopback only with TLS, and needs none here: the emulator's user network ends at one
// loopback port of the host. Starts a process that accepts on 10.0.2.15:`port` and carries each connection to the unix
// socket at `path`; returns its pid, or -1. A connection that finds nobody at `path` is closed at once.
pid_t StartRelay(uint16_t port, const char* path);

// Copies until end of file, then passes that on; returns. Exposed for its test.
void CopyStream(int from, int to);

}  // namespace muster::guest

#endif  // MUSTER_TOOLS_VM_INIT_RELAY_H_
