// What pid 1 does while the daemon runs.
#ifndef MUSTER_DAEMON_INIT_SUPERVISOR_H_
#define MUSTER_DAEMON_INIT_SUPERVISOR_H_

#include <string>
#include <vector>

namespace muster::init {

// Whom an init serves beside the daemon.
class Companion {
 public:
  virtual ~Companion() = default;
  // For poll(2), asked anew each time; OnReadable follows. -1: there is nothing to wait for.
  virtual int fd() const = 0;
  virtual void OnReadable() = 0;
  // What the console has said.
  virtual void OnRequest(const std::string& request) = 0;
};

struct SupervisorOptions {
  // Path of musterd, and its argv, to which a --ready-fd is added.
  std::string program;
  std::vector<std::string> arguments;
  // Where the host asks, as with "poweroff"; -1: nowhere.
  int console = -1;
  // Outlives the call; may be null.
  Companion* companion = nullptr;
};

// Runs the daemon, and reaps every child that this process has or gets, until the daemon has ended. Returns its exit
// code; of a signal that ended it, 128 more than its number (as of a shell); 71 when it could not be started. A request
// to end is SIGTERM, SIGINT, SIGPWR, SIGUSR2, SIGRTMIN+3, SIGRTMIN+4 or "poweroff" on the console: the first one is
// passed on as SIGTERM, with which the daemon drains within its --shutdown-timeout, the second one kills it. The
// calling thread must be the only one; these signals stay blocked in it.
int Supervise(const SupervisorOptions& options);

}  // namespace muster::init

#endif  // MUSTER_DAEMON_INIT_SUPERVISOR_H_
