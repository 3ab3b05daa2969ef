// Where reports go besides the screen.
#ifndef MUSTER_TOOLS_CLI_REPORT_SINK_H_
#define MUSTER_TOOLS_CLI_REPORT_SINK_H_

#include <stdio.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/unique_fd.h"
#include "client/report_summary.h"
#include "muster/v1/muster.pb.h"

namespace muster {

// Takes a run's results as they come. Thread-compatible.
class ReportSink {
 public:
  virtual ~ReportSink() = default;
  // First, once.
  virtual absl::Status Begin(const v1::WorkloadSpec& resolved_spec) = 0;
  // In worker order.
  virtual absl::Status Add(const v1::WorkerReport& report) = 0;
  // Last, once; not at all for a run that failed.
  virtual absl::Status Finish(const v1::PoolSummary& pool, const ReportSummary& summary) = 0;
};

// Called when all reports are there: what follows the summary in the JSON object, as `"name":{...}`.
using MoreJson = std::function<std::string()>;

// Prints one JSON object with resolvedSpec, reports and summary to `output` when all of it is there, and nothing before
// that; until then it lies in an unnamed temporary file, since reports with full samples do not fit into memory by the
// thousand.
class JsonSink : public ReportSink {
 public:
  // `output` stays the caller's.
  static absl::StatusOr<std::unique_ptr<ReportSink>> Open(FILE* output, MoreJson more = nullptr);
  ~JsonSink() override;

  absl::Status Begin(const v1::WorkloadSpec& resolved_spec) override;
  absl::Status Add(const v1::WorkerReport& report) override;
  absl::Status Finish(const v1::PoolSummary& pool, const ReportSummary& summary) override;

 private:
  JsonSink(FILE* output, FILE* spool, MoreJson more) : output_(output), spool_(spool), more_(std::move(more)) {}

  absl::Status Write(absl::string_view text);
  absl::Status CopyToOutput();

  FILE* const output_;
  // Owned.
  FILE* const spool_;
  const MoreJson more_;
  bool first_ = true;
};

// Writes resolved_spec.json, worker-00000.json and so on, summary.json and stats.txt into a directory, which it makes
// when it is not there, and which must be empty when it is. As long as the run has not ended well there is a file
// INCOMPLETE too; the reports beside it are whole.
class DirectorySink : public ReportSink {
 public:
  static absl::StatusOr<std::unique_ptr<ReportSink>> Open(const std::string& path);

  absl::Status Begin(const v1::WorkloadSpec& resolved_spec) override;
  absl::Status Add(const v1::WorkerReport& report) override;
  absl::Status Finish(const v1::PoolSummary& pool, const ReportSummary& summary) override;

 private:
  DirectorySink(std::string path, UniqueFd directory) : path_(std::move(path)), directory_(std::move(directory)) {}

  absl::Status WriteFile(const std::string& name, absl::string_view text) const;
  absl::Status WriteJson(const std::string& name, const google::protobuf::Message& message) const;

  const std::string path_;
  const UniqueFd directory_;
};

}  // namespace muster

#endif  // MUSTER_TOOLS_CLI_REPORT_SINK_H_
