#include "tools/cli/report_sink.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/errno_status.h"
#include "base/file_io.h"
#include "base/status_macros.h"
#include "tools/cli/proto_json.h"

namespace muster {
namespace {

// In the directory from the first file to the last.
constexpr char kIncomplete[] = "INCOMPLETE";

// ENOSPC and the like are the disk's matter, whatever absl::ErrnoToStatusCode makes of them.
absl::Status IoError(const std::string& what) { return absl::DataLossError(ErrnoStatus(errno, what).message()); }

absl::StatusOr<bool> IsEmpty(const std::string& path) {
  DIR* const directory = opendir(path.c_str());
  if (directory == nullptr) return IoError(absl::StrCat("open the directory ", path));
  int entries = 0;
  while (readdir(directory) != nullptr) ++entries;
  closedir(directory);
  // "." and "..".
  return entries <= 2;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ReportSink>> JsonSink::Open(FILE* output, MoreJson more) {
  FILE* const spool = tmpfile();
  if (spool == nullptr) return IoError("make a temporary file for the reports");
  return std::unique_ptr<ReportSink>(new JsonSink(output, spool, std::move(more)));
}

JsonSink::~JsonSink() { fclose(spool_); }

absl::Status JsonSink::Write(absl::string_view text) {
  if (fwrite(text.data(), 1, text.size(), spool_) == text.size()) return absl::OkStatus();
  return IoError("write to the temporary file for the reports");
}

absl::Status JsonSink::Begin(const v1::WorkloadSpec& resolved_spec) {
  ASSIGN_OR_RETURN(const std::string json, ToJson(resolved_spec));
  return Write(absl::StrCat("{\"resolvedSpec\":", json, ",\"reports\":["));
}

absl::Status JsonSink::Add(const v1::WorkerReport& report) {
  ASSIGN_OR_RETURN(const std::string json, ToJson(report));
  RETURN_IF_ERROR(Write(first_ ? "" : ","));
  first_ = false;
  return Write(json);
}

absl::Status JsonSink::Finish(const v1::PoolSummary& pool, const ReportSummary&) {
  ASSIGN_OR_RETURN(const std::string json, ToJson(pool));
  RETURN_IF_ERROR(Write(absl::StrCat("],\"summary\":", json, more_ ? absl::StrCat(",", more_()) : "", "}\n")));
  return CopyToOutput();
}

absl::Status JsonSink::CopyToOutput() {
  if (fflush(spool_) != 0) return IoError("write to the temporary file for the reports");
  rewind(spool_);
  char buffer[1 << 16];
  size_t got = 0;
  while ((got = fread(buffer, 1, sizeof(buffer), spool_)) > 0) {
    if (fwrite(buffer, 1, got, output_) != got) return IoError("write the JSON object");
  }
  if (ferror(spool_) != 0) return IoError("read the temporary file for the reports");
  return fflush(output_) == 0 ? absl::OkStatus() : IoError("write the JSON object");
}

absl::StatusOr<std::unique_ptr<ReportSink>> DirectorySink::Open(const std::string& path) {
  if (mkdir(path.c_str(), 0777) != 0 && errno != EEXIST) return IoError(absl::StrCat("make the directory ", path));
  ASSIGN_OR_RETURN(const bool empty, IsEmpty(path));
  if (!empty) {
    return absl::DataLossError(
        absl::StrCat("the directory ", path, " is not empty; results of two runs must not mix, name another one"));
  }
  UniqueFd directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return IoError(absl::StrCat("open the directory ", path));
  return std::unique_ptr<ReportSink>(new DirectorySink(path, std::move(directory)));
}

absl::Status DirectorySink::WriteFile(const std::string& name, absl::string_view text) const {
  // Under its name when it is whole: whoever is killed leaves no half of a report.
  const std::string part = absl::StrCat(".", name, ".part");
  const UniqueFd file(openat(directory_.get(), part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!file.valid()) return IoError(absl::StrCat("make ", path_, "/", part));
  const absl::Status written = WriteAll(file.get(), text);
  if (!written.ok()) return absl::DataLossError(absl::StrCat("write ", path_, "/", part, ": ", written.message()));
  if (renameat(directory_.get(), part.c_str(), directory_.get(), name.c_str()) == 0) return absl::OkStatus();
  return IoError(absl::StrCat("rename ", path_, "/", part));
}

absl::Status DirectorySink::WriteJson(const std::string& name, const google::protobuf::Message& message) const {
  ASSIGN_OR_RETURN(const std::string json, ToJson(message));
  return WriteFile(name, absl::StrCat(json, "\n"));
}

absl::Status DirectorySink::Begin(const v1::WorkloadSpec& resolved_spec) {
  RETURN_IF_ERROR(WriteFile(kIncomplete, "This run has not ended well: the reports here are whole, but not all.\n"));
  return WriteJson("resolved_spec.json", resolved_spec);
}

absl::Status DirectorySink::Add(const v1::WorkerReport& report) {
  return WriteJson(absl::StrFormat("worker-%05d.json", report.worker_index()), report);
}

absl::Status DirectorySink::Finish(const v1::PoolSummary& pool, const ReportSummary& summary) {
  RETURN_IF_ERROR(WriteFile("stats.txt", FormatStats(summary)));
  RETURN_IF_ERROR(WriteJson("summary.json", pool));
  if (unlinkat(directory_.get(), kIncomplete, 0) == 0) return absl::OkStatus();
  return IoError(absl::StrCat("remove ", path_, "/", kIncomplete));
}

}  // namespace muster
