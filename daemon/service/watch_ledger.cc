#include "daemon/service/watch_ledger.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error_detail.h"
#include "base/status_macros.h"
#include "daemon/service/convert.h"

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

// Puts what `now` is above `told` into `delta`, and adds it to `told`.
void AdvanceColumn(const std::vector<uint64_t>& now, std::vector<uint64_t>* told, Column* delta) {
  delta->Resize(static_cast<int>(now.size()), 0);
  for (size_t worker = 0; worker < now.size(); ++worker) {
    const uint64_t total = std::max(now[worker], (*told)[worker]);
    (*delta)[static_cast<int>(worker)] = total - std::exchange((*told)[worker], total);
  }
}

}  // namespace

absl::Status WatchLedger::Open(const v1::WatchRequest& request, const PoolSnapshot& now) {
  ASSIGN_OR_RETURN(iterations_, Known(request.known_iterations(), now.iterations, "known_iterations"));
  ASSIGN_OR_RETURN(work_units_, Known(request.known_work_units(), now.work_units, "known_work_units"));
  return absl::OkStatus();
}

void WatchLedger::Advance(const PoolSnapshot& now, uint32_t merged, v1::WatchUpdate* update) {
  update->set_taken_at_ns(now.taken_at_ns);
  AdvanceColumn(now.iterations, &iterations_, update->mutable_iterations_delta());
  AdvanceColumn(now.work_units, &work_units_, update->mutable_work_units_delta());
  FillStates(now, update);
  update->set_merged(merged);
  update->set_final(now.final);
}

}  // namespace muster
