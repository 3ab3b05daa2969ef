#include "tools/vm/run/workload.h"

#include <fcntl.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/deadline.h"
#include "base/file_io.h"
#include "base/status_macros.h"
#include "tools/vm/support/cache.h"

namespace muster::vm {
namespace {

constexpr size_t kMaxSpecBytes = 16 << 20;
// workload.proto: what an absent duration means.
constexpr absl::Duration kDefaultDuration = absl::Seconds(1);

class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    if (text_.empty()) text_ = absl::StrCat(line + 1, ":", column + 1, ": ", message);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

absl::Duration DurationOf(const v1::WorkloadSpec& spec) {
  if (!spec.has_duration()) return kDefaultDuration;
  return absl::Seconds(spec.duration().seconds()) + absl::Nanoseconds(spec.duration().nanos());
}

// Lets the pool run; returns early when it has ended by itself.
absl::Status LetRun(const WorkloadHandle& pool, absl::Duration duration) {
  const Deadline end = Deadline::After(duration);
  const absl::Status watched = pool.Watch(std::clamp(duration, absl::Milliseconds(10), absl::Seconds(1)),
                                          [&](const v1::WatchUpdate&) { return !end.Expired(); }, {.timeout = duration});
  return absl::IsDeadlineExceeded(watched) ? absl::OkStatus() : watched;
}

// Messages of ours have no field that JSON could not hold.
std::string Json(const google::protobuf::Message& message) {
  std::string text;
  const auto status = google::protobuf::util::MessageToJsonString(message, &text);
  return status.ok() ? text : absl::StrCat("{\"error\": \"", status.ToString(), "\"}");
}

absl::Status WriteReports(const std::string& directory, const CollectedReports& collected) {
  if (directory.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(MakeDirectories(directory));
  std::string lines;
  for (const v1::WorkerReport& report : collected.reports) absl::StrAppend(&lines, Json(report), "\n");
  RETURN_IF_ERROR(WriteFileAtomically(directory + "/reports.jsonl", lines));
  return WriteFileAtomically(directory + "/summary.json", absl::StrCat(Json(collected.summary), "\n"));
}

}  // namespace

absl::StatusOr<v1::WorkloadSpec> ReadSpec(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFileAt(AT_FDCWD, path, kMaxSpecBytes));
  v1::WorkloadSpec spec;
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  if (parser.ParseFromString(text, &spec)) return spec;
  return absl::InvalidArgumentError(absl::StrCat("read spec ", path, ":", error.text()));
}

absl::StatusOr<ReportSummary> RunWorkload(const WorkloadRequest& request) {
  ASSIGN_OR_RETURN(Client client, Client::Connect(request.address, {.connect_timeout = request.connect_timeout}));
  ASSIGN_OR_RETURN(const v1::GetServerInfoResponse info, client.ServerInfo());
  ASSIGN_OR_RETURN(WorkloadHandle pool, client.Spawn(request.spec));
  RETURN_IF_ERROR(pool.Start());
  RETURN_IF_ERROR(LetRun(pool, DurationOf(request.spec)));
  ReportSummarizer summarizer(pool.resolved_spec(), pool.pool_id(), info.workload_root());
  ASSIGN_OR_RETURN(const CollectedReports collected, std::move(pool).StopAndCollect());
  for (const v1::WorkerReport& report : collected.reports) summarizer.Add(report);
  RETURN_IF_ERROR(WriteReports(request.out, collected));
  return summarizer.Finish(collected.summary);
}

}  // namespace muster::vm
