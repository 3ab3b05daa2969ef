#include "tools/vm/run/console_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/file_io.h"

namespace muster::vm {
namespace {

constexpr size_t kKeptLines = 1000;

// The time in "... uptime_ms=1234".
std::optional<absl::Duration> ReadUptime(absl::string_view line) {
  constexpr absl::string_view kKey = " uptime_ms=";
  const size_t at = line.find(kKey);
  int64_t ms = 0;
  if (at == absl::string_view::npos || !absl::SimpleAtoi(line.substr(at + kKey.size()), &ms)) return std::nullopt;
  return absl::Milliseconds(ms);
}

}  // namespace

void Observe(absl::string_view line, BootProgress* progress) {
  line = absl::StripAsciiWhitespace(line);
  ObserveScheduler(line, &progress->scheduler);
  constexpr absl::string_view kPanic = "Kernel panic - not syncing";
  const size_t panic = line.find(kPanic);
  if (panic != absl::string_view::npos && !progress->panic.has_value())
    progress->panic = std::string(line.substr(panic));
  // The kernel's own lines may stand before ours.
  constexpr absl::string_view kInit = "muster-init: ";
  const size_t at = line.find(kInit);
  const std::optional<absl::Duration> uptime = ReadUptime(line);
  if (at == absl::string_view::npos || !uptime.has_value()) return;
  absl::string_view stage = line.substr(at + kInit.size());
  stage = stage.substr(0, stage.find(" uptime_ms="));
  if (stage == "up") progress->up = uptime;
  if (stage == "machine-ready") progress->machine_ready = uptime;
  if (stage == "daemon-started") progress->daemon_started = uptime;
  if (stage == "daemon-ready") progress->daemon_ready = uptime;
  if (absl::ConsumePrefix(&stage, "daemon-ended ")) progress->daemon_ended = std::string(stage);
}

bool ConsoleLog::Update() {
  const absl::StatusOr<UniqueFd> fd = OpenAt(AT_FDCWD, path_, O_RDONLY);
  if (!fd.ok()) return false;
  const size_t before = read_bytes_;
  char buffer[65536];
  for (ssize_t got = pread(fd->get(), buffer, sizeof(buffer), read_bytes_); got > 0;
       got = pread(fd->get(), buffer, sizeof(buffer), read_bytes_)) {
    read_bytes_ += got;
    partial_.append(buffer, got);
    for (size_t end = partial_.find('\n'); end != std::string::npos; end = partial_.find('\n')) {
      lines_.push_back(std::string(absl::StripAsciiWhitespace(absl::string_view(partial_).substr(0, end))));
      Observe(lines_.back(), &progress_);
      partial_.erase(0, end + 1);
    }
  }
  if (lines_.size() > 2 * kKeptLines) lines_.erase(lines_.begin(), lines_.end() - kKeptLines);
  return read_bytes_ != before;
}

std::string ConsoleLog::Tail(size_t lines) const {
  const size_t count = std::min(lines, lines_.size());
  return absl::StrCat(absl::StrJoin(lines_.end() - count, lines_.end(), "\n"), partial_.empty() ? "" : "\n", partial_);
}

}  // namespace muster::vm
