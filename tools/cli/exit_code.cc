#include "tools/cli/exit_code.h"

#include "absl/strings/str_format.h"

namespace muster {

ExitCode ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kExitGood;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return kExitBadSpec;
    case absl::StatusCode::kNotFound:
      return kExitNotFound;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kUnimplemented:
      return kExitUnavailable;
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kCancelled:
      return kExitTryLater;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      return kExitNotPermitted;
    case absl::StatusCode::kFailedPrecondition:
      return kExitPrecondition;
    case absl::StatusCode::kDataLoss:
      // What this folder makes of files that could not be read or written.
      return kExitIo;
    default:
      return kExitInternal;
  }
}

ExitCode ExitCodeOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kGood:
      return kExitGood;
    case Verdict::kBad:
      return kExitStarved;
    case Verdict::kCannotTell:
      break;
  }
  return kExitCannotTell;
}

std::string DescribeExitCodes() {
  const struct {
    ExitCode code;
    const char* meaning;
  } kTable[] = {
      {kExitGood, "good"},
      {kExitStarved, "a worker starved or died"},
      {kExitCannotTell, "it cannot be told whether the workers did their work"},
      {kExitUsage, "wrong flags or arguments"},
      {kExitBadSpec, "the spec does not parse, or was refused"},
      {kExitNotFound, "a file, pool or cgroup that was named is not there"},
      {kExitUnavailable, "the daemon cannot be reached, was too slow, or could not be started"},
      {kExitInternal, "a defect of muster"},
      {kExitIo, "a file could not be read or written"},
      {kExitTryLater, "a limit was reached or something was in the way; may go better later"},
      {kExitNotPermitted, "not permitted"},
      {kExitPrecondition, "the machine or the daemon lacks something; the message says what"},
      {kExitInterrupted, "interrupted before the workload ran, or while its results were printed"},
  };
  std::string text;
  for (const auto& row : kTable) absl::StrAppendFormat(&text, "  %3d  %s\n", row.code, row.meaning);
  return text;
}

}  // namespace muster
