#include "client/worker_verdict.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "proto/exit_text.h"

namespace muster {
namespace {

// Work of the user's own, of which the framework measures nothing, and which reported nothing either.
bool IsUnmeasured(const v1::WorkerReport& report) {
  const v1::KernelAccounting& accounting = report.kernel_accounting();
  return report.has_kernel_accounting() && !accounting.has_reported_iterations() &&
         !accounting.has_reported_work_units() && report.iterations() == 0 && report.work_units() == 0;
}

bool DidNothing(const v1::WorkerReport& report) {
  return report.work_units() == 0 && report.iterations() == 0 &&
         report.kernel_accounting().reported_iterations() == 0 && report.kernel_accounting().reported_work_units() == 0;
}

}  // namespace

WorkerVerdict JudgeWorker(const v1::WorkerReport& report, absl::Duration gap_threshold) {
  if (report.has_exit_info()) return {Verdict::kBad, DescribeExit(report.exit_info())};
  // Whichever field the daemon filled: the first is the other, floored.
  const absl::Duration gap = std::max(absl::Milliseconds(report.max_gap_ms()), absl::Nanoseconds(report.max_gap_ns()));
  if (gap > gap_threshold) {
    return {Verdict::kBad, absl::StrCat("did not run for ", report.max_gap_ms(), " ms, above the threshold of ",
                                        absl::ToInt64Milliseconds(gap_threshold), " ms")};
  }
  if (IsUnmeasured(report)) return {Verdict::kCannotTell, "its program reported no work"};
  if (DidNothing(report)) return {Verdict::kBad, "did no work"};
  if (!report.noop_reason().empty()) {
    return {Verdict::kCannotTell, absl::StrCat("only marked time: ", report.noop_reason())};
  }
  return {};
}

}  // namespace muster
