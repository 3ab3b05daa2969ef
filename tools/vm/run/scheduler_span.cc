#include "tools/vm/run/scheduler_span.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/deadline.h"
#include "tools/vm/exit_codes.h"

namespace muster::vm {
namespace {

// The kernel may take its time to end a scheduler under which nothing went on.
constexpr absl::Duration kLookLimit = absl::Seconds(60);

std::optional<GuestFailure> Look(Guest* guest, SchedulerSample* sample) {
  const absl::StatusOr<SchedulerSample> seen = guest->SampleScheduler(Deadline::After(kLookLimit));
  if (!seen.ok()) return GuestFailure{kExitGuestLost, std::string(seen.status().message())};
  *sample = *seen;
  return std::nullopt;
}

std::optional<GuestFailure> Judge(const SchedulerSample& start, const SchedulerSample& end, const SchedulerLog& log) {
  const std::optional<std::string> ejection = FindEjection(start, end);
  if (!ejection.has_value()) return std::nullopt;
  return GuestFailure{kExitSchedulerEjected, WithReasons(*ejection, log)};
}

}  // namespace

std::optional<GuestFailure> SchedulerSpan::Begin(Guest* guest, SchedulerSpan* span) {
  std::optional<GuestFailure> failure = Look(guest, &span->start_);
  return failure.has_value() ? failure : Judge(span->start_, span->start_, guest->scheduler_log());
}

std::optional<GuestFailure> SchedulerSpan::End(Guest* guest) {
  std::optional<GuestFailure> failure = Look(guest, &end_);
  return failure.has_value() ? failure : Judge(start_, end_, guest->scheduler_log());
}

std::string SchedulerSpan::Json() const {
  // The kernel takes only letters, digits, dots and underscores for a scheduler's name.
  return absl::StrCat("{\"ops\": \"", end_.ops, "\", \"enableSeq\": ", end_.enable_seq,
                      ", \"nrRejected\": ", RejectedBetween(start_, end_),
                      ", \"switchAll\": ", end_.switch_all ? "true" : "false", "}");
}

}  // namespace muster::vm
