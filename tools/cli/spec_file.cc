#include "tools/cli/spec_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "base/file_io.h"
#include "base/status_macros.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"

namespace muster {
namespace {

// Far above the daemon's limit (4 MB as a message), so that the refusal comes from there, with its words.
constexpr size_t kMaxBytes = 64 << 20;

// Notes every mistake with its place.
class ErrorList : public google::protobuf::io::ErrorCollector {
 public:
  explicit ErrorList(absl::string_view name) : name_(name) {}

  // Both count from 0; a mistake without a place has line -1.
  void AddError(int line, google::protobuf::io::ColumnNumber column, const std::string& message) override {
    absl::StrAppend(&text_, text_.empty() ? "" : "\n", name_, ":");
    if (line >= 0) absl::StrAppend(&text_, line + 1, ":", column + 1, ":");
    absl::StrAppend(&text_, " ", message);
  }

  const std::string& text() const { return text_; }

 private:
  const std::string name_;
  std::string text_;
};

}  // namespace

absl::StatusOr<v1::WorkloadSpec> ParseSpec(absl::string_view text, absl::string_view name) {
  ErrorList errors(name);
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&errors);
  v1::WorkloadSpec spec;
  if (parser.ParseFromString(std::string(text), &spec)) return spec;
  return absl::InvalidArgumentError(errors.text());
}

absl::StatusOr<v1::WorkloadSpec> ReadSpecFile(absl::string_view path) {
  const bool standard_input = path == "-";
  ASSIGN_OR_RETURN(const std::string text, standard_input ? ReadToEnd(STDIN_FILENO, "the standard input", kMaxBytes)
                                                          : ReadFileAt(AT_FDCWD, path, kMaxBytes));
  return ParseSpec(text, path);
}

ExitCode SpecExitCode(const absl::Status& status) {
  const bool told = absl::IsInvalidArgument(status) || absl::IsNotFound(status);
  return told ? ExitCodeOf(status) : kExitIo;
}

}  // namespace muster
