// A hybrid vsock whose guest stands still after its first connection.
#ifndef MUSTER_TESTS_SUPPORT_SILENT_DEVICE_H_
#define MUSTER_TESTS_SUPPORT_SILENT_DEVICE_H_

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

// The test is the device: it takes the first CONNECT, hangs up on that connection when asked to, and answers no other.
class SilentDevice {
 public:
  SilentDevice() {
    char pattern[] = "/tmp/muster_device.XXXXXX";
    directory_ = mkdtemp(pattern);
    absl::StatusOr<Listener> listener = Listener::Listen(UnixAddress{directory_ + "/v.sock"});
    EXPECT_TRUE(listener.ok()) << listener.status();
    listener_.emplace(*std::move(listener));
  }
  ~SilentDevice() { std::filesystem::remove_all(directory_); }

  // A connection to it that breaks at the first call.
  std::shared_ptr<Connection> OpenAndBreak(const ConnectionOptions& options) {
    UniqueFd guest;
    std::thread answer([&] {
      guest = AwaitConnect();
      EXPECT_TRUE(WriteAll(guest.get(), "OK 1\n").ok());
    });
    absl::StatusOr<std::shared_ptr<Connection>> connection = Connection::Open(
        HybridVsockAddress{directory_ + "/v.sock", 7070}, options, Deadline::After(absl::Seconds(20)));
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

 private:
  std::string directory_;
  std::optional<Listener> listener_;
};

}  // namespace muster

#endif  // MUSTER_TESTS_SUPPORT_SILENT_DEVICE_H_
