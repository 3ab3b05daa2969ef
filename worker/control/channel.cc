#include "worker/control/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/deadline.h"
#include "base/errno_status.h"
#include "base/status_macros.h"

namespace muster::control {
namespace {

// Precedes each message. The count says whose the descriptors are when one read returns the end of a message without
// and the beginning of one with.
struct FrameHead {
  uint32_t length;
  uint32_t descriptors;
};

// Waits for `events`; false when the deadline has passed.
absl::StatusOr<bool> PollUntil(int fd, short events, const Deadline& deadline) {
  while (true) {
    pollfd wait = {fd, events, 0};
    const int ready = poll(&wait, 1, deadline.PollTimeoutMs());
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return ErrnoStatus(errno, "poll of the control channel");
    if (deadline.Expired()) return false;
  }
}

ssize_t SendOnce(int socket, absl::string_view data, const std::vector<int>& descriptors) {
  iovec part = {const_cast<char*>(data.data()), data.size()};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char space[CMSG_SPACE(kMaxDescriptors * sizeof(int))] = {};
  if (!descriptors.empty()) {
    message.msg_control = space;
    message.msg_controllen = CMSG_SPACE(descriptors.size() * sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
    memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size() * sizeof(int));
  }
  return sendmsg(socket, &message, MSG_NOSIGNAL);
}

void TakeDescriptors(msghdr* message, std::vector<UniqueFd>* descriptors) {
  for (cmsghdr* header = CMSG_FIRSTHDR(message); header != nullptr; header = CMSG_NXTHDR(message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd;
      memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
      descriptors->emplace_back(fd);
    }
  }
}

}  // namespace

Channel::Channel(UniqueFd socket) : socket_(std::move(socket)) {
  fcntl(socket_.get(), F_SETFL, fcntl(socket_.get(), F_GETFL) | O_NONBLOCK);
}

absl::StatusOr<std::pair<Channel, UniqueFd>> Channel::MakePair() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return ErrnoStatus(errno, "socketpair for a control channel");
  }
  return std::make_pair(Channel(UniqueFd(ends[0])), UniqueFd(ends[1]));
}

absl::Status Channel::Send(const google::protobuf::MessageLite& message, const std::vector<int>& descriptors,
                           absl::Duration timeout) {
  if (descriptors.size() > kMaxDescriptors) {
    return absl::ResourceExhaustedError(
        absl::StrCat(descriptors.size(), " descriptors in one control message; at most ", kMaxDescriptors));
  }
  const FrameHead head = {static_cast<uint32_t>(message.ByteSizeLong()), static_cast<uint32_t>(descriptors.size())};
  std::string frame(reinterpret_cast<const char*>(&head), sizeof(head));
  message.AppendToString(&frame);
  const Deadline deadline = Deadline::After(timeout);
  absl::string_view rest = frame;
  std::vector<int> pending = descriptors;
  while (!rest.empty()) {
    const ssize_t sent = SendOnce(socket_.get(), rest, pending);
    if (sent >= 0) {
      rest.remove_prefix(sent);
      pending.clear();
      continue;
    }
    if (errno == EPIPE || errno == ECONNRESET) return absl::UnavailableError("the control channel's peer is gone");
    if (errno != EAGAIN && errno != EINTR) return ErrnoStatus(errno, "sendmsg on the control channel");
    ASSIGN_OR_RETURN(const bool ready, PollUntil(socket_.get(), POLLOUT, deadline));
    if (!ready) return absl::DeadlineExceededError("the control channel's peer does not read");
  }
  return absl::OkStatus();
}

absl::Status Channel::ReadSome() {
  char chunk[65536];
  iovec part = {chunk, sizeof(chunk)};
  alignas(cmsghdr) char space[CMSG_SPACE(kMaxDescriptors * sizeof(int))];
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = space;
  message.msg_controllen = sizeof(space);
  const ssize_t got = recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC);
  if (got == 0) return absl::UnavailableError("the control channel's peer has closed");
  if (got < 0 && errno == ECONNRESET) return absl::UnavailableError("the control channel's peer is gone");
  if (got < 0 && errno != EAGAIN && errno != EINTR) return ErrnoStatus(errno, "recvmsg on the control channel");
  if (got < 0) return absl::OkStatus();
  buffer_.append(chunk, got);
  TakeDescriptors(&message, &descriptors_);
  return absl::OkStatus();
}

Frame Channel::TakeFrame(size_t length, size_t descriptors) {
  Frame frame;
  frame.bytes = buffer_.substr(sizeof(FrameHead), length);
  buffer_.erase(0, sizeof(FrameHead) + length);
  const auto end = descriptors_.begin() + std::min(descriptors, descriptors_.size());
  frame.descriptors.assign(std::make_move_iterator(descriptors_.begin()), std::make_move_iterator(end));
  descriptors_.erase(descriptors_.begin(), end);
  return frame;
}

absl::StatusOr<Frame> Channel::Receive(absl::Duration timeout) {
  const Deadline deadline = Deadline::After(timeout);
  while (true) {
    FrameHead head = {};
    if (buffer_.size() >= sizeof(head)) {
      memcpy(&head, buffer_.data(), sizeof(head));
      if (head.length > kMaxMessageBytes || head.descriptors > kMaxDescriptors) {
        return absl::InvalidArgumentError(absl::StrCat("a control message of ", head.length, " bytes and ",
                                                       head.descriptors, " descriptors was announced"));
      }
      if (buffer_.size() >= sizeof(head) + head.length) return TakeFrame(head.length, head.descriptors);
    }
    ASSIGN_OR_RETURN(const bool ready, PollUntil(socket_.get(), POLLIN, deadline));
    if (!ready) return absl::DeadlineExceededError("no control message came in time");
    RETURN_IF_ERROR(ReadSome());
  }
}

}  // namespace muster::control
