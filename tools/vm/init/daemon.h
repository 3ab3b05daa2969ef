// musterd as the child of init.
#ifndef MUSTER_TOOLS_VM_INIT_DAEMON_H_
#define MUSTER_TOOLS_VM_INIT_DAEMON_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace muster::guest {

// Where musterd says that it serves (sd_notify(3)); an abstract datagram socket.
UniqueFd OpenNotifySocket();

// Starts /bin/musterd with NOTIFY_SOCKET set; -1 when it cannot be started.
pid_t StartDaemon(const std::vector<std::string>& arguments);

// Reads one message; true when it holds READY=1.
bool ReadReady(int notify_socket);

}  // namespace muster::guest

#endif  // MUSTER_TOOLS_VM_INIT_DAEMON_H_
