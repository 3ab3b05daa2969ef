#include "worker/meter/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/cgroup_mounts.h"
#include "base/errno_status.h"
#include "worker/arena/text.h"

namespace muster {
namespace {

// A line of version 1 per controller, then "0::PATH".
constexpr size_t kCgroupBytes = 8'192;
constexpr size_t kShortCgroupBytes = 384;
constexpr size_t kSchedstatBytes = 128;
constexpr size_t kVmstatBytes = 32'768;

constexpr char kSchedstatPath[] = "/proc/thread-self/schedstat";
constexpr char kCgroupPath[] = "/proc/thread-self/cgroup";
constexpr char kVmstatPath[] = "/proc/vmstat";
constexpr char kNumaMapsPath[] = "/proc/self/numa_maps";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Cuts the next number off the text. By hand: a worker that has just started pays a page fault for each library that it
// calls.
std::optional<uint64_t> TakeNumber(absl::string_view* text) {
  while (!text->empty() && text->front() == ' ') text->remove_prefix(1);
  if (text->empty() || !IsDigit(text->front())) return std::nullopt;
  uint64_t value = 0;
  for (; !text->empty() && IsDigit(text->front()); text->remove_prefix(1)) {
    if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, text->front() - '0', &value))
      return std::nullopt;
  }
  if (!text->empty() && text->front() != ' ' && text->front() != '\n') return std::nullopt;
  return value;
}

// Cuts the next line off the text.
absl::string_view TakeLine(absl::string_view* text) {
  const size_t end = std::min(text->find('\n'), text->size());
  const absl::string_view line = text->substr(0, end);
  text->remove_prefix(std::min(end + 1, text->size()));
  return line;
}

// One pread of a kept descriptor: procfs makes the text anew at offset 0.
template <size_t N>
absl::StatusOr<absl::string_view> ReadKept(const UniqueFd& fd, const char* path, char (&buffer)[N]) {
  const ssize_t got = pread(fd.get(), buffer, N, 0);
  if (got < 0) return ErrnoStatus(errno, absl::StrCat("reading ", path));
  return absl::string_view(buffer, got);
}

UniqueFd OpenToRead(const char* path) { return UniqueFd(open(path, O_RDONLY | O_CLOEXEC)); }

UniqueFd OpenBelow(int directory, const char* path) { return UniqueFd(openat(directory, path, O_RDONLY | O_CLOEXEC)); }

}  // namespace

std::optional<Schedstat> ParseSchedstat(absl::string_view text) {
  const std::optional<uint64_t> cpu = TakeNumber(&text);
  const std::optional<uint64_t> delay = TakeNumber(&text);
  const std::optional<uint64_t> count = TakeNumber(&text);
  if (!cpu || !delay || !count) return std::nullopt;
  return Schedstat{*cpu, *delay, *count};
}

std::optional<uint64_t> ParseVmstat(absl::string_view text, absl::string_view name) {
  while (!text.empty()) {
    absl::string_view line = TakeLine(&text);
    if (absl::ConsumePrefix(&line, name) && absl::ConsumePrefix(&line, " ")) return TakeNumber(&line);
  }
  return std::nullopt;
}

void NumaMapsParser::Feed(absl::string_view piece) {
  for (const char c : piece) Take(c);
}

void NumaMapsParser::Take(char c) {
  if (c == ' ' || c == '\n') return EndToken();
  const bool is_digit = c >= '0' && c <= '9';
  switch (expect_) {
    case Expect::kN:
      expect_ = c == 'N' ? Expect::kNode : Expect::kNothing;
      return;
    case Expect::kNode:
      if (is_digit && node_ <= arena::kMaxNodeId) {
        node_ = node_ * 10 + (c - '0');
        has_digits_ = true;
      } else {
        expect_ = c == '=' && has_digits_ ? Expect::kPages : Expect::kNothing;
        has_digits_ = false;
      }
      return;
    case Expect::kPages:
      if (!is_digit) expect_ = Expect::kNothing;
      count_ = count_ * 10 + (c - '0');
      has_digits_ = true;
      return;
    case Expect::kNothing:
      return;
  }
}

void NumaMapsParser::EndToken() {
  if (expect_ == Expect::kPages && has_digits_ && node_ <= arena::kMaxNodeId) pages_[node_] += count_;
  expect_ = Expect::kN;
  has_digits_ = false;
  node_ = 0;
  count_ = 0;
}

UniqueFd OpenProc() { return UniqueFd(open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC)); }

TaskFiles TaskFiles::Open(int proc_fd, Of of) {
  TaskFiles files;
  const bool process = of == Of::kProcess;
  files.schedstat_ = OpenBelow(proc_fd, process ? "self/schedstat" : "thread-self/schedstat");
  files.cgroup_ = OpenBelow(proc_fd, process ? "self/cgroup" : "thread-self/cgroup");
  return files;
}

absl::StatusOr<Schedstat> TaskFiles::ReadSchedstat() const {
  char buffer[kSchedstatBytes];
  const absl::StatusOr<absl::string_view> text = ReadKept(schedstat_, kSchedstatPath, buffer);
  if (!text.ok()) return text.status();
  const std::optional<Schedstat> schedstat = ParseSchedstat(*text);
  if (!schedstat) return absl::DataLossError(absl::StrCat(kSchedstatPath, " is not three numbers"));
  return *schedstat;
}

absl::Status TaskFiles::ReadCgroup(arena::CgroupText* cgroup) const {
  // What fits usually: one with room for everything reaches into pages of the stack that the worker has not touched
  // yet.
  char buffer[kShortCgroupBytes];
  const absl::StatusOr<absl::string_view> text = ReadKept(cgroup_, kCgroupPath, buffer);
  if (!text.ok()) return text.status();
  if (text->size() == sizeof(buffer)) return ReadLongCgroup(cgroup);
  const absl::string_view path = CgroupPathIn(*text);
  if (path.empty()) return ParseCgroupFile(*text).status();
  arena::SetText(cgroup, path);
  return absl::OkStatus();
}

__attribute__((noinline)) absl::Status TaskFiles::ReadLongCgroup(arena::CgroupText* cgroup) const {
  char buffer[kCgroupBytes];
  const absl::StatusOr<absl::string_view> text = ReadKept(cgroup_, kCgroupPath, buffer);
  if (!text.ok()) return text.status();
  const absl::StatusOr<std::string> path = ParseCgroupFile(*text);
  if (!path.ok()) return path.status();
  arena::SetText(cgroup, *path);
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> ReadNumaPagesMigrated() {
  char buffer[kVmstatBytes];
  size_t length = 0;
  const UniqueFd fd = OpenToRead(kVmstatPath);
  while (length < sizeof(buffer)) {
    const ssize_t got = read(fd.get(), buffer + length, sizeof(buffer) - length);
    if (got < 0) return ErrnoStatus(errno, absl::StrCat("reading ", kVmstatPath));
    if (got == 0) break;
    length += got;
  }
  const std::optional<uint64_t> pages = ParseVmstat(absl::string_view(buffer, length), "numa_pages_migrated");
  if (!pages) return absl::NotFoundError(absl::StrCat(kVmstatPath, " has no numa_pages_migrated"));
  return *pages;
}

absl::Status ReadNumaPages(uint64_t* pages) {
  std::fill(pages, pages + arena::kMaxNodeId + 1, 0);
  const UniqueFd fd = OpenToRead(kNumaMapsPath);
  NumaMapsParser parser(pages);
  char piece[4'096];
  while (true) {
    const ssize_t got = read(fd.get(), piece, sizeof(piece));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(errno, absl::StrCat("reading ", kNumaMapsPath));
    if (got == 0) break;
    parser.Feed(absl::string_view(piece, got));
  }
  parser.Finish();
  return absl::OkStatus();
}

absl::Status SharedNumaPages::Read(uint64_t* pages) {
  MutexLock lock(&mutex_);
  if (readings_ == 0) {
    ++readings_;
    status_ = ReadNumaPages(pages_);
  }
  std::copy(std::begin(pages_), std::end(pages_), pages);
  return status_;
}

uint32_t SharedNumaPages::readings() const {
  MutexLock lock(&mutex_);
  return readings_;
}

}  // namespace muster
