#include "daemon/service/request_cache.h"

#include <stop_token>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "base/error_detail.h"
#include "base/later.h"
#include "base/status_macros.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace muster {
namespace {

constexpr size_t kMaxIdBytes = 256;

// The call has left things as they were, or nobody can tell: a retry has to try.
bool IsPassing(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
      return true;
    default:
      return false;
  }
}

}  // namespace

RequestCache::Fingerprint RequestCache::FingerprintOf(const google::protobuf::Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return {absl::HashOf(1, bytes), absl::HashOf(2, bytes)};
}

int64_t RequestCache::BytesAround(const Key& key, const absl::Status& status) {
  // The nodes of the map and of the list; the rest is for the answer's owner, the status, and malloc's own words.
  static_assert(sizeof(Entries::value_type) + sizeof(Entries::iterator) + 6 * sizeof(void*) <=
                kEntryOverheadBytes * 2 / 3);
  const auto& [method, lease_id, request_id] = key;
  size_t bytes = kEntryOverheadBytes + method.size() + lease_id.size() + request_id.size() + status.message().size();
  status.ForEachPayload(
      [&](absl::string_view url, const absl::Cord& payload) { bytes += url.size() + payload.size(); });
  return static_cast<int64_t>(bytes);
}

absl::Status RequestCache::Run(const Request& request, const CallContext& context, google::protobuf::Message* response,
                               absl::FunctionRef<absl::Status()> act) {
  if (request.request_id.empty()) return act();
  if (request.request_id.size() > kMaxIdBytes) {
    return FieldError("request_id", absl::StrCat("has ", request.request_id.size(), " bytes; at most ", kMaxIdBytes));
  }
  const Key key(request.method, request.lease_id, request.request_id);
  {
    // Made before the lock is taken and destroyed after it is let go: either may call it or wait for it.
    const std::stop_callback wake(context.cancelled, [this] {
      MutexLock lock(&mutex_);
      changed_.NotifyAll();
    });
    std::shared_ptr<const google::protobuf::Message> answer;
    MutexLock lock(&mutex_);
    const absl::Status status = Enter(key, request, context, &answer);
    if (answer != nullptr) response->CopyFrom(*answer);
    if (answer != nullptr || !status.ok()) return status;
  }
  absl::Status status = act();
  Keep(key, status, *response);
  return status;
}

absl::Status RequestCache::Enter(const Key& key, const Request& request, const CallContext& context,
                                 std::shared_ptr<const google::protobuf::Message>* answer) {
  const Fingerprint fingerprint = FingerprintOf(*request.message);
  while (true) {
    Evict();
    const auto [it, is_new] = entries_.try_emplace(key, Entry{fingerprint});
    if (is_new) return absl::OkStatus();
    if (it->second.fingerprint != fingerprint) {
      return FieldError("request_id", absl::StrCat("\"", request.request_id, "\" was used for another ", request.method,
                                                   " before; give each request an id of its own"));
    }
    *answer = it->second.answer;
    if (*answer != nullptr) return it->second.status;
    RETURN_IF_ERROR(context.Alive());
    changed_.WaitUntil(&mutex_, context.deadline.when());
  }
}

void RequestCache::Keep(const Key& key, const absl::Status& status, const google::protobuf::Message& response) {
  std::shared_ptr<google::protobuf::Message> answer(response.New());
  answer->CopyFrom(response);
  MutexLock lock(&mutex_);
  const auto it = entries_.find(key);
  if (IsPassing(status)) {
    entries_.erase(it);
  } else {
    Entry& entry = it->second;
    entry.bytes = BytesAround(key, status) + static_cast<int64_t>(answer->SpaceUsedLong());
    entry.answer = std::move(answer);
    entry.status = status;
    entry.answered_at = clock_();
    bytes_ += entry.bytes;
    answered_.push_back(it);
    Evict();
  }
  changed_.NotifyAll();
}

void RequestCache::Evict() {
  const TimePoint now = clock_();
  while (!answered_.empty()) {
    const Entries::iterator oldest = answered_.front();
    const bool is_old = Later(oldest->second.answered_at, options_.request_retention) <= now;
    const bool is_full = static_cast<int64_t>(answered_.size()) > options_.max_retained_requests ||
                         bytes_ > options_.max_retained_request_bytes;
    if (!is_old && !is_full) return;
    bytes_ -= oldest->second.bytes;
    entries_.erase(oldest);
    answered_.pop_front();
  }
}

}  // namespace muster
