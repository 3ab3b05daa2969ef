#include "client/worker_verdict.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace muster {
namespace {

std::string DescribeCause(const v1::ExitInfo& exit_info) {
  switch (exit_info.cause_case()) {
    case v1::ExitInfo::kExited:
      return absl::StrCat("exited with code ", exit_info.exited().code());
    case v1::ExitInfo::kSignaled:
      return absl::StrCat("killed by signal ", exit_info.signaled().signal(),
                          exit_info.signaled().oom_killed() ? ", out of memory" : "");
    case v1::ExitInfo::kTimedOut:
      return exit_info.timed_out().unreaped() ? "timed out, and is stuck in the kernel" : "timed out";
    case v1::ExitInfo::kWaitFailed:
      return absl::StrCat("could not be waited for: ", exit_info.wait_failed().error());
    case v1::ExitInfo::kPanicked:
      return absl::StrCat("panicked: ", exit_info.panicked().text());
    case v1::ExitInfo::CAUSE_NOT_SET:
      break;
  }
  return "ended without a cause";
}

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

std::string DescribeExit(const v1::ExitInfo& exit_info) {
  return absl::StrCat(DescribeCause(exit_info), exit_info.shared_fate() ? " (with its whole process)" : "");
}

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
