#include "proto/exit_text.h"

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

}  // namespace

std::string DescribeExit(const v1::ExitInfo& exit_info) {
  return absl::StrCat(DescribeCause(exit_info), exit_info.shared_fate() ? " (with its whole process)" : "");
}

}  // namespace muster
