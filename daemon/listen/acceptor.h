// Takes connections in and hands them on.
#ifndef MUSTER_DAEMON_LISTEN_ACCEPTOR_H_
#define MUSTER_DAEMON_LISTEN_ACCEPTOR_H_

#include <functional>
#include <memory>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/event.h"
#include "base/listener.h"

namespace muster {

// Who may connect.
struct Admission {
  // Besides root: the user that the daemon runs as.
  uid_t owner = 0;
  // Processes of the daemon's own machine may come over vsock.
  bool vsock_local = false;
};

// PERMISSION_DENIED says who may.
absl::Status CheckAdmission(const PeerIdentity& peer, const Admission& admission);

// Accepts on one listener, from a thread of its own, until it is destroyed. Connections that are not admitted are
// closed and logged.
class Acceptor {
 public:
  // Called on the acceptor's thread.
  using Handler = std::function<void(AcceptedSocket)>;

  // RESOURCE_EXHAUSTED: there is no room for a thread; the listener is closed.
  static absl::StatusOr<std::unique_ptr<Acceptor>> Start(Listener listener, Admission admission, Handler handler);
  // Closes the listener; no connection is handed on afterwards.
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  const Address& address() const { return listener_.address(); }

 private:
  Acceptor(Listener listener, Admission admission, Handler handler);

  void Run();

  Listener listener_;
  const Admission admission_;
  const Handler handler_;
  Event stopping_;
  std::thread thread_;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_LISTEN_ACCEPTOR_H_
