// A hybrid vsock device that the test plays.
#ifndef MUSTER_TESTS_SUPPORT_HYBRID_DEVICE_H_
#define MUSTER_TESTS_SUPPORT_HYBRID_DEVICE_H_

#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "base/file_io.h"
#include "base/listener.h"
#include "client/connection.h"

namespace muster {

// It answers nobody but the first of OpenAndBreak: whoever has taken a CONNECT answers it, or does not.
class HybridDevice {
 public:
  HybridDevice() {
    char pattern[] = "/tmp/muster_device.XXXXXX";
    directory_ = mkdtemp(pattern);
    absl::StatusOr<Listener> listener = Listener::Listen(UnixAddress{socket_path()});
    EXPECT_TRUE(listener.ok()) << listener.status();
    listener_.emplace(*std::move(listener));
  }
  ~HybridDevice() { std::filesystem::remove_all(directory_); }

  HybridVsockAddress address() const { return {socket_path(), 7070}; }
  std::string socket_path() const { return directory_ + "/v.sock"; }

  // A connection to it that breaks at the first call.
  std::shared_ptr<Connection> OpenAndBreak(const ConnectionOptions& options) {
    UniqueFd guest;
    std::thread answer([&] {
      guest = AwaitConnect();
      EXPECT_TRUE(WriteAll(guest.get(), "OK 1\n").ok());
    });
    absl::StatusOr<std::shared_ptr<Connection>> connection =
        Connection::Open(address(), options, Deadline::After(absl::Seconds(20)));
    answer.join();
    EXPECT_TRUE(connection.ok()) << connection.status();
    return connection.ok() ? *std::move(connection) : nullptr;
  }

  // Waits for the next one that asks for the port; who keeps the result does not hang up on him.
  UniqueFd AwaitConnect() {
    constexpr absl::Duration kPatience = absl::Seconds(20);
    absl::StatusOr<AcceptedSocket> accepted = listener_->Accept(kPatience);
    EXPECT_TRUE(accepted.ok()) << accepted.status();
    if (!accepted.ok()) return UniqueFd();
    pollfd entry = {accepted->fd.get(), POLLIN, 0};
    EXPECT_EQ(poll(&entry, 1, static_cast<int>(absl::ToInt64Milliseconds(kPatience))), 1);
    char request[64];
    EXPECT_EQ(std::string(request, read(accepted->fd.get(), request, sizeof(request))), "CONNECT 7070\n");
    return std::move(accepted->fd);
  }
  bool NobodyElseCalls() { return absl::IsDeadlineExceeded(listener_->Accept(absl::ZeroDuration()).status()); }

 private:
  std::string directory_;
  std::optional<Listener> listener_;
};

}  // namespace muster

#endif  // MUSTER_TESTS_SUPPORT_HYBRID_DEVICE_H_
