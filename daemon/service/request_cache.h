// Answers of mutating calls, for their retries.
#ifndef MUSTER_DAEMON_SERVICE_REQUEST_CACHE_H_
#define MUSTER_DAEMON_SERVICE_REQUEST_CACHE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "base/mutex.h"
#include "daemon/service/call_context.h"
#include "google/protobuf/message.h"

namespace muster {

// Bounded in number, size and time; the oldest answers go first. Keeps no request, only its ids and a fingerprint.
// Thread-safe.
class RequestCache {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // What keeping an answer costs besides the answer, its status and the ids: nodes of containers, and what malloc adds.
  static constexpr int64_t kEntryOverheadBytes = 384;

  struct Options {
    absl::Duration request_retention = absl::Minutes(10);
    int64_t max_retained_requests = 4096;
    // Of answers, their statuses and ids, with kEntryOverheadBytes for each.
    int64_t max_retained_request_bytes = 64 << 20;
  };

  // Two calls are the same when the first three agree.
  struct Request {
    std::string method;
    // Empty for an operator.
    std::string lease_id;
    // Empty: no retry will come, nothing is kept.
    std::string request_id;
    const google::protobuf::Message* message = nullptr;
  };

  RequestCache(Options options, std::function<TimePoint()> clock) : options_(options), clock_(std::move(clock)) {}

  // Gives the answer of the same call made before, or else calls `act`, which fills `response`, and keeps its answer.
  // While the first call is under way a second waits for it; when nothing can be said of the first's outcome (it was
  // cancelled, was late, or found no room), the second acts itself. INVALID_ARGUMENT: the same id came with another
  // message.
  absl::Status Run(const Request& request, const CallContext& context, google::protobuf::Message* response,
                   absl::FunctionRef<absl::Status()> act) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  using Key = std::tuple<std::string, std::string, std::string>;
  using Fingerprint = std::pair<uint64_t, uint64_t>;
  struct Entry {
    Fingerprint fingerprint;
    // Null: under way.
    std::shared_ptr<const google::protobuf::Message> answer;
    absl::Status status;
    int64_t bytes = 0;
    TimePoint answered_at;
  };
  using Entries = std::map<Key, Entry>;

  // Without the answer.
  static int64_t BytesAround(const Key& key, const absl::Status& status);
  static Fingerprint FingerprintOf(const google::protobuf::Message& message);
  // The kept answer, or null when the caller must act; it has been entered as under way then.
  absl::Status Enter(const Key& key, const Request& request, const CallContext& context,
                     std::shared_ptr<const google::protobuf::Message>* answer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Keep(const Key& key, const absl::Status& status, const google::protobuf::Message& response)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void Evict() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options options_;
  const std::function<TimePoint()> clock_;
  Mutex mutex_;
  CondVar changed_;
  Entries entries_ ABSL_GUARDED_BY(mutex_);
  // Those with an answer, oldest first.
  std::list<Entries::iterator> answered_ ABSL_GUARDED_BY(mutex_);
  int64_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_SERVICE_REQUEST_CACHE_H_
