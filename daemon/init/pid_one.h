// musterd as pid 1.
#ifndef MUSTER_DAEMON_INIT_PID_ONE_H_
#define MUSTER_DAEMON_INIT_PID_ONE_H_

#include <string>
#include <vector>

namespace muster::init {

// For a process that is pid 1 and has one thread: runs its own program once more, as a child, with these arguments
// (argv, the program's name included), so that a crash of the daemon is an event that can be told and no panic of the
// kernel. As pid 1 of the machine it makes the machine first and switches it off in the end, and so does not return. In
// a PID namespace of its own, a container, it leaves everything as it is and returns the daemon's exit code.
int RunAsPidOne(const std::vector<std::string>& arguments);

// Without the words between argv[0] and the first flag: what the kernel does not know of its command line comes to
// init, before all that follows "--". Exposed for its test.
std::vector<std::string> WithoutStrayWords(std::vector<std::string> arguments);

}  // namespace muster::init

#endif  // MUSTER_DAEMON_INIT_PID_ONE_H_
