// Messages with descriptors over a stream socket pair: a small head, then the serialised message.
#ifndef MUSTER_WORKER_CONTROL_CHANNEL_H_
#define MUSTER_WORKER_CONTROL_CHANNEL_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/unique_fd.h"
#include "google/protobuf/message_lite.h"

namespace muster::control {

// Longest message; a plan for 100,000 workers is far below it.
inline constexpr size_t kMaxMessageBytes = 64u << 20;
// Most descriptors with one message; the kernel's SCM_MAX_FD.
inline constexpr size_t kMaxDescriptors = 253;

// Bytes of one message and the descriptors that came with it.
struct Frame {
  std::string bytes;
  std::vector<UniqueFd> descriptors;
};

// Closes its socket when destroyed. One thread may send while another receives; not more.
class Channel {
 public:
  Channel() = default;
  // Takes one end of socketpair(AF_UNIX, SOCK_STREAM) and makes it non-blocking.
  explicit Channel(UniqueFd socket);
  Channel(Channel&&) = default;
  Channel& operator=(Channel&&) = default;

  // Two connected ends.
  static absl::StatusOr<std::pair<Channel, UniqueFd>> MakePair();

  // Sends a message. UNAVAILABLE: the peer is gone; DEADLINE_EXCEEDED: it does not read. After an error the channel is
  // broken.
  absl::Status Send(const google::protobuf::MessageLite& message, const std::vector<int>& descriptors,
                    absl::Duration timeout);

  // Receives the next message. UNAVAILABLE: the peer has closed; DEADLINE_EXCEEDED: none came, and none is lost;
  // INVALID_ARGUMENT: the peer sent a length above kMaxMessageBytes.
  absl::StatusOr<Frame> Receive(absl::Duration timeout);

  int fd() const { return socket_.get(); }

 private:
  absl::Status ReadSome();
  Frame TakeFrame(size_t length, size_t descriptors);

  UniqueFd socket_;
  std::string buffer_;
  std::vector<UniqueFd> descriptors_;
};

}  // namespace muster::control

#endif  // MUSTER_WORKER_CONTROL_CHANNEL_H_
