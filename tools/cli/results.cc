#include "tools/cli/results.h"

#include <stdio.h>

#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace muster {
namespace {

// Findings of one kind that are printed; the others are counted.
constexpr size_t kShownFindings = 20;

void AppendFindings(std::string* text, absl::string_view kind, const std::vector<WorkerFinding>& findings) {
  for (size_t i = 0; i < findings.size() && i < kShownFindings; ++i) {
    absl::StrAppend(text, kind, ": worker ", findings[i].worker_index, " (", findings[i].cgroup,
                    "): ", findings[i].text, "\n");
  }
  if (findings.size() > kShownFindings) {
    absl::StrAppend(text, kind, ": and ", findings.size() - kShownFindings, " more\n");
  }
}

}  // namespace

std::vector<FlagSpec> Results::OutputFlags() {
  return {{"json", "", "print one JSON object with resolvedSpec, reports and summary, and nothing else"},
          {"out", "DIR", "write one file per report, and the summary, into this new or empty directory"},
          {"without-samples", "", "leave the sample vectors out of the reports; histograms stay"}};
}

absl::StatusOr<Results> Results::Open(const Flags& flags, MoreJson more) {
  Results results(flags.Has("json"));
  if (flags.Has("out")) {
    ASSIGN_OR_RETURN(std::unique_ptr<ReportSink> sink, DirectorySink::Open(flags.Get("out")));
    results.sinks_.push_back(std::move(sink));
  }
  if (results.json_) {
    ASSIGN_OR_RETURN(std::unique_ptr<ReportSink> sink, JsonSink::Open(stdout, std::move(more)));
    results.sinks_.push_back(std::move(sink));
  }
  return results;
}

absl::Status Results::Begin(PoolFacts facts) {
  for (const auto& sink : sinks_) RETURN_IF_ERROR(sink->Begin(facts.resolved_spec));
  summarizer_.emplace(std::move(facts.resolved_spec), std::move(facts.pool_id), std::move(facts.workload_root));
  return absl::OkStatus();
}

void Results::Add(const v1::WorkerReport& report) {
  summarizer_->Add(report);
  for (const auto& sink : sinks_) write_error_.Update(sink->Add(report));
}

absl::StatusOr<ExitCode> Results::Finish(const v1::PoolSummary& pool) {
  const ReportSummary summary = summarizer_->Finish(pool);
  (json_ ? std::cerr : std::cout) << FormatResults(summary) << std::flush;
  RETURN_IF_ERROR(write_error_);
  for (const auto& sink : sinks_) RETURN_IF_ERROR(sink->Finish(pool, summary));
  if (!std::cout.good()) return absl::DataLossError("write to the standard output failed");
  return ExitCodeOf(summary.verdict);
}

std::string FormatResults(const ReportSummary& summary) {
  std::string text;
  AppendFindings(&text, "starved", summary.starved);
  AppendFindings(&text, "unclear", summary.unclear);
  if (!summary.doubt.empty()) absl::StrAppend(&text, "unclear: ", summary.doubt, "\n");
  AppendFindings(&text, "note", summary.soft_failures);
  absl::StrAppend(&text, FormatSamples(summary), FormatStats(summary));
  return text;
}

}  // namespace muster
