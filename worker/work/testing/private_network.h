// A network of the test's own.
#ifndef MUSTER_WORKER_WORK_TESTING_PRIVATE_NETWORK_H_
#define MUSTER_WORKER_WORK_TESTING_PRIVATE_NETWORK_H_

#include <sched.h>

namespace muster {

// Takes the test, and what it forks, into a network namespace with nothing but a loopback interface, so that no frame
// can leave the machine. False: not allowed here.
inline bool EnterPrivateNetwork() {
  static const bool entered = unshare(CLONE_NEWNET) == 0;
  return entered;
}

}  // namespace muster

#endif  // MUSTER_WORKER_WORK_TESTING_PRIVATE_NETWORK_H_
