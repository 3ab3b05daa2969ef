#include "tools/vm/run/scheduler_log.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace muster::vm {
namespace {

constexpr absl::string_view kUptime = " uptime_ms=";
constexpr size_t kKeptLines = 200;

void Keep(absl::string_view line, std::vector<std::string>* lines) {
  if (lines->size() < kKeptLines) lines->emplace_back(line);
}

// Of "state=enabled ops=fifo ..."; nullopt: a field is missing or is no number, as in a line that the kernel has
// written into.
std::optional<SchedulerSample> ParseSample(absl::string_view text) {
  std::map<std::string, std::string> fields;
  for (const absl::string_view word : absl::StrSplit(text, ' ')) {
    const std::pair<std::string, std::string> field = absl::StrSplit(word, absl::MaxSplits('=', 1));
    fields.insert(field);
  }
  SchedulerSample sample;
  sample.state = fields["state"];
  sample.ops = fields["ops"] == "-" ? "" : fields["ops"];
  sample.switch_all = fields["switch_all"] == "1";
  const bool whole = !sample.state.empty() && fields.count("switch_all") != 0 &&
                     absl::SimpleAtoi(fields["enable_seq"], &sample.enable_seq) &&
                     absl::SimpleAtoi(fields["nr_rejected"], &sample.nr_rejected);
  return whole ? std::optional<SchedulerSample>(sample) : std::nullopt;
}

}  // namespace

void ObserveScheduler(absl::string_view line, SchedulerLog* log) {
  constexpr absl::string_view kPrefix = "muster-init: scheduler";
  // The kernel's own lines may stand before ours.
  const size_t at = line.find(kPrefix);
  if (at == absl::string_view::npos) return;
  absl::string_view text = absl::StripAsciiWhitespace(line.substr(at + kPrefix.size()));
  if (absl::ConsumePrefix(&text, "-loader ")) return Keep(text, &log->loader);
  if (absl::ConsumePrefix(&text, "-kernel ")) return Keep(text, &log->kernel);
  // The others end with the time: one without it was cut.
  const size_t time = text.find(kUptime);
  if (time == absl::string_view::npos) return;
  text = text.substr(0, time);
  if (absl::ConsumePrefix(&text, "-failed ")) {
    log->failed = std::string(text);
    return;
  }
  const std::optional<SchedulerSample> sample = ParseSample(text);
  if (!sample.has_value()) return;
  ++log->samples;
  log->last = *sample;
}

std::string WithReasons(const std::string& what, const SchedulerLog& log) {
  std::string text = what;
  if (!log.kernel.empty()) absl::StrAppend(&text, "\nthe kernel says:\n  ", absl::StrJoin(log.kernel, "\n  "));
  // Of an ejection the loader, which went well, knows nothing.
  if (log.failed.has_value() && !log.loader.empty())
    absl::StrAppend(&text, "\nthe loader says:\n  ", absl::StrJoin(log.loader, "\n  "));
  return text;
}

std::optional<std::string> FindEjection(const SchedulerSample& start, const SchedulerSample& end) {
  if (!start.enabled()) return absl::StrCat("no scheduler was active at the start of the run: ", start.state);
  if (!end.enabled()) return absl::StrCat("the kernel ejected the scheduler ", start.ops, " before the end of the run");
  if (start.enable_seq == end.enable_seq) return std::nullopt;
  return absl::StrCat("the scheduler ", start.ops, " was replaced before the end of the run: ", end.ops,
                      " is active now (enable_seq ", start.enable_seq, " at the start, ", end.enable_seq, " now)");
}

uint64_t RejectedBetween(const SchedulerSample& start, const SchedulerSample& end) {
  return end.nr_rejected - std::min(start.nr_rejected, end.nr_rejected);
}

std::string DescribeSpan(const SchedulerSample& start, const SchedulerSample& end) {
  return absl::StrCat("scheduler=", end.ops, " active from start to end, ",
                      end.switch_all ? "all tasks" : "tasks of SCHED_EXT only", ", enable_seq=", end.enable_seq,
                      " nr_rejected=", RejectedBetween(start, end));
}

}  // namespace muster::vm
