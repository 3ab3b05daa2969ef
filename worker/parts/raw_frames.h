// Raw Ethernet frames to the own address.
#ifndef MUSTER_WORKER_PARTS_RAW_FRAMES_H_
#define MUSTER_WORKER_PARTS_RAW_FRAMES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/unique_fd.h"

namespace muster {

// Owns a packet socket that is bound to one interface; sends and receives end after 100 ms at the latest. Move-only.
class RawFrames {
 public:
  enum class Direction { kSend, kReceive };

  // `interface` empty: the first that is not loopback and has a device behind it. An interface that is down is brought
  // up. NOT_FOUND: there is none; PERMISSION_DENIED: no CAP_NET_RAW; INVALID_ARGUMENT: it takes no frames so long.
  static absl::StatusOr<RawFrames> Open(const std::string& interface, Direction direction, uint32_t frame_bytes);

  // One frame, from the interface's address to itself. 0, or the errno of why it was not sent.
  int Send() const;
  // One frame of ours; false after 100 ms or a signal.
  bool Receive();

 private:
  RawFrames(UniqueFd socket, std::vector<char> frame) : socket_(std::move(socket)), frame_(std::move(frame)) {}

  UniqueFd socket_;
  std::vector<char> frame_;
};

// Name of the interface that an empty name stands for; NOT_FOUND when there is none.
absl::StatusOr<std::string> FirstNetworkDevice();

// The caller may open packet sockets.
bool MaySendRawFrames();

}  // namespace muster

#endif  // MUSTER_WORKER_PARTS_RAW_FRAMES_H_
