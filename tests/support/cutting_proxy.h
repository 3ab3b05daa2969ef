// A connection that breaks when a test wants it to.
#ifndef MUSTER_TESTS_SUPPORT_CUTTING_PROXY_H_
#define MUSTER_TESTS_SUPPORT_CUTTING_PROXY_H_

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/listener.h"
#include "base/mutex.h"

namespace muster {

// Forwards connections to a daemon, from a unix socket of its own, and cuts them. The destructor cuts all. Thread-safe.
class CuttingProxy {
 public:
  explicit CuttingProxy(const std::string& target);
  ~CuttingProxy();
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  std::string address() const { return FormatAddress(listener_->address()); }

  // Every connection of now.
  void Cut();

  // From now on cuts a connection that has carried `bytes` more to the client, `times` in all: in the middle of
  // whatever it carries.
  void CutAfter(size_t bytes, int times);

  // How many cuts CutAfter has made.
  int cuts();

 private:
  // Both ends of one connection; they are closed when no thread pumps between them any more.
  struct Pair {
    UniqueFd client;
    UniqueFd daemon;
  };

  void Accept();
  // Carries bytes until one side ends.
  void Pump(std::shared_ptr<Pair> pair, bool to_client);
  // How many of `size` bytes may go to the client before the cut.
  size_t Allowed(size_t size);

  const Address target_;
  std::string directory_;
  std::unique_ptr<Listener> listener_;
  Mutex mutex_;
  std::vector<std::weak_ptr<Pair>> pairs_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> pumps_ ABSL_GUARDED_BY(mutex_);
  size_t cut_after_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t carried_ ABSL_GUARDED_BY(mutex_) = 0;
  int cuts_left_ ABSL_GUARDED_BY(mutex_) = 0;
  int cuts_ ABSL_GUARDED_BY(mutex_) = 0;
  std::thread acceptor_;
};

}  // namespace muster

#endif  // MUSTER_TESTS_SUPPORT_CUTTING_PROXY_H_
