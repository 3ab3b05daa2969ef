// Many watches of one pool, read by one thread.
#ifndef MUSTER_TESTS_BENCH_WATCH_LOAD_H_
#define MUSTER_TESTS_BENCH_WATCH_LOAD_H_

#include <grpcpp/channel.h>
#include <grpcpp/generic/generic_stub.h>

#include <atomic>
#include <list>
#include <memory>
#include <string>
#include <thread>

#include "absl/time/time.h"

namespace muster::bench {

// Opens the watches a few at a time and takes their messages as they come, without a look at them: the raw socket's are
// not parsed either. The destructor cancels all and waits for their ends.
class WatchLoad {
 public:
  struct Plan {
    std::string address;  // "unix:PATH"
    std::string pool_id;
    int watches = 0;
    absl::Duration period;
  };

  explicit WatchLoad(const Plan& plan);
  ~WatchLoad();
  WatchLoad(const WatchLoad&) = delete;
  WatchLoad& operator=(const WatchLoad&) = delete;

  // Watches whose first message has come.
  int open() const { return open_.load(std::memory_order_relaxed); }
  // Watches that have ended; none does before the destructor.
  int ended() const { return ended_.load(std::memory_order_relaxed); }
  uint64_t messages() const { return messages_.load(std::memory_order_relaxed); }

 private:
  struct Stream;

  // From here on the reader's thread's.
  void Run();
  void OpenNext();
  // `stream` has done its act. False: it has gone.
  bool GoOn(Stream* stream, bool ok);

  const int watches_;
  const grpc::ByteBuffer request_;
  grpc::GenericStub stub_;
  grpc::CompletionQueue queue_;
  std::list<std::unique_ptr<Stream>> streams_;
  std::atomic<bool> closing_{false};
  std::atomic<int> open_{0};
  std::atomic<int> ended_{0};
  std::atomic<uint64_t> messages_{0};
  std::thread reader_;
};

}  // namespace muster::bench

#endif  // MUSTER_TESTS_BENCH_WATCH_LOAD_H_
