// What is made of a pool's reports.
#ifndef MUSTER_TOOLS_CLI_RESULTS_H_
#define MUSTER_TOOLS_CLI_RESULTS_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/report_summary.h"
#include "muster/v1/muster.pb.h"
#include "tools/cli/exit_code.h"
#include "tools/cli/flags.h"
#include "tools/cli/report_sink.h"

namespace muster {

// What the summarizer needs to know of the pool.
struct PoolFacts {
  v1::WorkloadSpec resolved_spec;
  std::string pool_id;
  std::string workload_root;
};

// Takes the reports of one pool, writes them where the flags say, and prints findings and the stats block at the end.
// Thread-compatible.
class Results {
 public:
  // --json, --out, --without-samples.
  static std::vector<FlagSpec> OutputFlags();

  // Makes sure that there is a place for the results.
  static absl::StatusOr<Results> Open(const Flags& flags, MoreJson more = nullptr);

  absl::Status Begin(PoolFacts facts);
  // A report that could not be written is remembered, so that the collection goes on; Finish tells.
  void Add(const v1::WorkerReport& report);
  // Prints everything. The exit code is the verdict's.
  absl::StatusOr<ExitCode> Finish(const v1::PoolSummary& pool);

  // The standard output is for JSON only; words go to the standard error stream.
  bool json() const { return json_; }

 private:
  explicit Results(bool json) : json_(json) {}

  bool json_;
  std::vector<std::unique_ptr<ReportSink>> sinks_;
  std::optional<ReportSummarizer> summarizer_;
  absl::Status write_error_;
};

// The findings, a line each, then the stats block.
std::string FormatResults(const ReportSummary& summary);

}  // namespace muster

#endif  // MUSTER_TOOLS_CLI_RESULTS_H_
