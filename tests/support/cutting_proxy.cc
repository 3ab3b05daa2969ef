#include "tests/support/cutting_proxy.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "base/dial.h"

namespace muster {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(10);

std::string MakeDirectory() {
  char pattern[] = "/tmp/muster_proxy.XXXXXX";
  return mkdtemp(pattern);
}

void Await(int fd, short events) {
  pollfd entry = {fd, events, 0};
  while (poll(&entry, 1, -1) < 0 && errno == EINTR) {
  }
}

// False: the other side takes no more.
bool SendAll(int fd, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
    if (sent < 0) {
      Await(fd, POLLOUT);
      continue;
    }
    data += sent;
    size -= static_cast<size_t>(sent);
  }
  return true;
}

}  // namespace

CuttingProxy::CuttingProxy(const std::string& target) : target_(*ParseAddress(target)), directory_(MakeDirectory()) {
  listener_ = std::make_unique<Listener>(*Listener::Listen(UnixAddress{directory_ + "/s"}));
  acceptor_ = std::thread([this] { Accept(); });
}

CuttingProxy::~CuttingProxy() {
  listener_->Stop();
  acceptor_.join();
  Cut();
  std::vector<std::thread> pumps;
  {
    MutexLock lock(&mutex_);
    pumps = std::move(pumps_);
  }
  for (std::thread& pump : pumps) pump.join();
  listener_.reset();
  rmdir(directory_.c_str());
}

void CuttingProxy::Accept() {
  while (true) {
    absl::StatusOr<AcceptedSocket> accepted = listener_->Accept(absl::InfiniteDuration());
    if (!accepted.ok()) return;
    absl::StatusOr<UniqueFd> daemon = Dial(target_, kPatience);
    if (!daemon.ok()) continue;
    const auto pair = std::make_shared<Pair>(Pair{std::move(accepted->fd), *std::move(daemon)});
    MutexLock lock(&mutex_);
    pairs_.push_back(pair);
    for (const bool to_client : {false, true}) {
      pumps_.emplace_back([this, pair, to_client] { Pump(pair, to_client); });
    }
  }
}

void CuttingProxy::Pump(std::shared_ptr<Pair> pair, bool to_client) {
  const int from = to_client ? pair->daemon.get() : pair->client.get();
  const int to = to_client ? pair->client.get() : pair->daemon.get();
  char buffer[4096];
  while (true) {
    Await(from, POLLIN);
    const ssize_t got = recv(from, buffer, sizeof(buffer), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got <= 0) break;
    const auto size = static_cast<size_t>(got);
    const size_t allowed = to_client ? Allowed(size) : size;
    if (!SendAll(to, buffer, allowed) || allowed < size) break;
  }
  shutdown(from, SHUT_RDWR);
  shutdown(to, SHUT_RDWR);
}

size_t CuttingProxy::Allowed(size_t size) {
  MutexLock lock(&mutex_);
  if (cuts_left_ == 0) return size;
  if (carried_ + size <= cut_after_) {
    carried_ += size;
    return size;
  }
  const size_t allowed = cut_after_ - carried_;
  carried_ = 0;
  --cuts_left_;
  ++cuts_;
  return allowed;
}

void CuttingProxy::Cut() {
  MutexLock lock(&mutex_);
  for (const std::weak_ptr<Pair>& entry : pairs_) {
    const std::shared_ptr<Pair> pair = entry.lock();
    if (pair == nullptr) continue;
    shutdown(pair->client.get(), SHUT_RDWR);
    shutdown(pair->daemon.get(), SHUT_RDWR);
  }
  pairs_.clear();
}

void CuttingProxy::CutAfter(size_t bytes, int times) {
  MutexLock lock(&mutex_);
  cut_after_ = bytes;
  carried_ = 0;
  cuts_left_ = times;
}

int CuttingProxy::cuts() {
  MutexLock lock(&mutex_);
  return cuts_;
}

}  // namespace muster
