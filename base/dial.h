// Connecting to a daemon over every transport.
#ifndef MUSTER_BASE_DIAL_H_
#define MUSTER_BASE_DIAL_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/address.h"
#include "base/unique_fd.h"

namespace muster {

// A connected stream socket, non-blocking and close-on-exec. `timeout` covers every step, the hybrid handshake too.
// Errors name the step and the address: UNAVAILABLE when nobody listens there, DEADLINE_EXCEEDED, PERMISSION_DENIED.
// Tries once; whoever waits for a daemon to come up calls again.
absl::StatusOr<UniqueFd> Dial(const Address& address, absl::Duration timeout);

// A way into a guest that the guest has not opened yet: the device has been asked, and answers when the guest does. The
// destructor hangs up, which not every device survives: vhost-device-vsock 0.3 carries nothing any more once its guest
// answers a host that has gone. So whoever will dial again keeps this and goes on waiting.
class HybridDial {
 public:
  // Connects to the device and asks it for the port.
  static absl::StatusOr<HybridDial> Start(const HybridVsockAddress& address, absl::Duration timeout);

  // The connection, once it has been answered. DEADLINE_EXCEEDED: not yet; call again. After any other answer this
  // object is of no use.
  absl::StatusOr<UniqueFd> Await(absl::Duration timeout);

  // Readable when Await has something to read.
  int fd() const { return fd_.get(); }

 private:
  HybridDial(HybridVsockAddress address, UniqueFd fd) : address_(std::move(address)), fd_(std::move(fd)) {}

  HybridVsockAddress address_;
  UniqueFd fd_;
  // Of its answer, what has come.
  std::string line_;
};

}  // namespace muster

#endif  // MUSTER_BASE_DIAL_H_
