// Everything that a pool host waits for: its control channel, its children, signals, the bell of its workers.
#ifndef MUSTER_WORKER_HOST_EVENTS_H_
#define MUSTER_WORKER_HOST_EVENTS_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "base/unique_fd.h"
#include "muster/control/control.pb.h"
#include "worker/control/channel.h"

namespace muster::host {

// A request and the descriptors that came with it.
struct Incoming {
  control::Request request;
  std::vector<UniqueFd> descriptors;
};

// Owns the channel and the descriptors it waits on. One thread.
class Events {
 public:
  // Blocks SIGCHLD, SIGTERM and SIGUSR1 in the calling thread for good: the first two arrive here, the third is for
  // workers.
  static absl::StatusOr<Events> Create(control::Channel channel);

  // What a wait may end for besides control messages and termination.
  struct Interest {
    bool children = true;
    bool bell = true;  // false: a ring is kept for later
    int fd = -1;       // of anything else
  };
  struct Ready {
    bool children = false;  // some child has ended since the last report
    bool bell = false;      // a worker rang (arena::ArrivalBell)
    bool fd = false;
  };
  // Returns at the first event, or at the monotonic instant; at once while there is a hurry. Takes in whatever the
  // control channel has.
  Ready Wait(uint64_t deadline_ns, const Interest& interest);

  // Requests in the order of their arrival.
  std::optional<Incoming> NextRequest();
  // musterd has gone, or wants this process to end.
  bool must_end() const { return must_end_; }
  // must_end, or a Kill waits among the requests: whoever waits for something else gives up.
  bool hurried() const { return must_end_ || kill_waits_; }

  // A peer that does not read for long counts as gone.
  void Send(const control::Event& event);

  // The eventfd that workers ring; inherited by them.
  int bell_fd() const { return bell_.get(); }

 private:
  Events() = default;

  void TakeRequests();

  control::Channel channel_;
  UniqueFd children_;
  UniqueFd terminate_;
  UniqueFd bell_;
  std::deque<Incoming> requests_;
  bool must_end_ = false;
  bool kill_waits_ = false;
};

}  // namespace muster::host

#endif  // MUSTER_WORKER_HOST_EVENTS_H_
