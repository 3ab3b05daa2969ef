// One of gRPC's threads for all connections, instead of several that hand each message around.
#ifndef MUSTER_DAEMON_SERVICE_SINGLE_POLLER_H_
#define MUSTER_DAEMON_SERVICE_SINGLE_POLLER_H_

#include <memory>
#include <string>
#include <thread>

#include "base/deadline.h"
#include "grpcpp/channel.h"
#include "grpcpp/server.h"

namespace muster {

// gRPC's callback API has at least two threads, and before one of them acts on what it has read, it wakes another to
// poll in its place: five context switches for a call that needs one. While this object lives, all but one of them wait
// here, and the one that is left never goes to sleep, as it would for 100 ms after each second without an event.
// Handlers that block must not run on gRPC's threads. The destructor lets the threads go, within `kPatience`.
//
// The threads belong to the process: of several of these objects only the first that lives has an effect.
class SinglePoller {
 public:
  // Longest time to wait for one of gRPC's threads.
  static constexpr absl::Duration kPatience = absl::Seconds(5);

  // `server` runs, has its health service, and is shut down after this object has gone. When its threads do not come as
  // expected, logs that and leaves all as it was.
  explicit SinglePoller(grpc::Server* server);
  ~SinglePoller();
  SinglePoller(const SinglePoller&) = delete;
  SinglePoller& operator=(const SinglePoller&) = delete;

  // Threads that wait here.
  int parked() const;

 private:
  class Threads;

  // Parks as many threads as there should be besides the last; false when one did not come, or no other was left.
  bool Park();
  // Calls the server until the object goes, so that the poller has an event in time.
  void KeepAwake();
  void Release();

  const std::shared_ptr<grpc::Channel> channel_;
  const std::shared_ptr<Threads> threads_;
  bool is_first_ = false;
  std::thread keeper_;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_SERVICE_SINGLE_POLLER_H_
