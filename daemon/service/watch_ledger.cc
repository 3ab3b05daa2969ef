#include "daemon/service/watch_ledger.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error_detail.h"
#include "base/status_macros.h"
#include "daemon/service/encoding.h"

namespace muster {
namespace {

using Column = google::protobuf::RepeatedField<uint64_t>;

absl::StatusOr<std::vector<uint64_t>> Known(const Column& known, const std::vector<uint64_t>& now,
                                            absl::string_view field) {
  if (known.empty()) return std::vector<uint64_t>(now.size(), 0);
  if (static_cast<size_t>(known.size()) != now.size()) {
    return FieldError(field, absl::StrCat("has ", known.size(), " totals for ", now.size(), " workers; give one each"));
  }
  for (size_t worker = 0; worker < now.size(); ++worker) {
    if (known[static_cast<int>(worker)] <= now[worker]) continue;
    return FieldError(absl::StrCat(field, "[", worker, "]"),
                      absl::StrCat("is above the worker's total ", now[worker], ", so it is another pool's"));
  }
  return std::vector<uint64_t>(known.begin(), known.end());
}

}  // namespace

absl::Status WatchLedger::Open(const v1::WatchRequest& request, const PoolSnapshot& now) {
  PoolSnapshot known;
  ASSIGN_OR_RETURN(known.iterations, Known(request.known_iterations(), now.iterations, "known_iterations"));
  ASSIGN_OR_RETURN(known.work_units, Known(request.known_work_units(), now.work_units, "known_work_units"));
  told_ = std::make_shared<const PoolSnapshot>(std::move(known));
  return absl::OkStatus();
}

grpc::ByteBuffer WatchLedger::Advance(const std::shared_ptr<const WatchReading>& now, uint32_t merged) {
  v1::WatchUpdate own;
  own.set_merged(merged);
  // One after the other, encoded messages are their fields in one message (protobuf's encoding).
  WatchReading::Update update = now->UpdateAfter(told_);
  const grpc::Slice slices[] = {std::move(update.bytes), EncodeToSlice(own)};
  told_ = update.higher != nullptr ? std::move(update.higher) : std::shared_ptr<const PoolSnapshot>(now, &now->taken());
  return grpc::ByteBuffer(slices, merged == 0 ? 1 : 2);
}

}  // namespace muster
