#include "base/cpu_set.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <bit>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/errno_status.h"

namespace muster {
namespace {

absl::StatusOr<uint32_t> ParseId(absl::string_view piece) {
  uint32_t id = 0;
  if (!absl::SimpleAtoi(piece, &id) || piece.empty() || !absl::ascii_isdigit(piece[0])) {
    return absl::InvalidArgumentError(absl::StrCat("\"", piece, "\" is not a number; write a list like 0-3,8"));
  }
  if (id > CpuSet::kMaxId) {
    return absl::InvalidArgumentError(absl::StrCat(piece, " is above the largest id, ", CpuSet::kMaxId));
  }
  return id;
}

}  // namespace

absl::StatusOr<CpuSet> CpuSet::Parse(absl::string_view text) {
  CpuSet set;
  text = absl::StripAsciiWhitespace(text);
  if (text.empty()) return set;
  for (absl::string_view range : absl::StrSplit(text, ',')) {
    const std::vector<absl::string_view> ends = absl::StrSplit(range, absl::MaxSplits('-', 1));
    absl::StatusOr<uint32_t> first = ParseId(ends.front());
    if (!first.ok()) return first.status();
    absl::StatusOr<uint32_t> last = ParseId(ends.back());
    if (!last.ok()) return last.status();
    if (*last < *first) {
      return absl::InvalidArgumentError(absl::StrCat("the range ", range, " ends before it begins"));
    }
    for (uint32_t id = *first; id <= *last; ++id) set.Add(id);
  }
  return set;
}

std::string CpuSet::ToString() const {
  std::string text;
  const std::vector<uint32_t> ids = Ids();
  for (size_t i = 0; i < ids.size();) {
    size_t end = i;
    while (end + 1 < ids.size() && ids[end + 1] == ids[end] + 1) ++end;
    absl::StrAppend(&text, text.empty() ? "" : ",", ids[i]);
    if (end > i) absl::StrAppend(&text, "-", ids[end]);
    i = end + 1;
  }
  return text;
}

void CpuSet::Add(uint32_t id) {
  if (id / 64 >= words_.size()) words_.resize(id / 64 + 1);
  words_[id / 64] |= uint64_t{1} << (id % 64);
}

bool CpuSet::Contains(uint32_t id) const { return id / 64 < words_.size() && (words_[id / 64] >> (id % 64) & 1) != 0; }

size_t CpuSet::Count() const {
  size_t count = 0;
  for (uint64_t word : words_) count += std::popcount(word);
  return count;
}

std::vector<uint32_t> CpuSet::Ids() const {
  std::vector<uint32_t> ids;
  for (size_t i = 0; i < words_.size(); ++i) {
    for (uint64_t word = words_[i]; word != 0; word &= word - 1) ids.push_back(i * 64 + std::countr_zero(word));
  }
  return ids;
}

CpuSet CpuSet::Intersect(const CpuSet& other) const {
  CpuSet result;
  result.words_.assign(std::min(words_.size(), other.words_.size()), 0);
  for (size_t i = 0; i < result.words_.size(); ++i) result.words_[i] = words_[i] & other.words_[i];
  return result;
}

CpuSet CpuSet::Union(const CpuSet& other) const {
  CpuSet result;
  result.words_.assign(std::max(words_.size(), other.words_.size()), 0);
  for (size_t i = 0; i < result.words_.size(); ++i) {
    if (i < words_.size()) result.words_[i] |= words_[i];
    if (i < other.words_.size()) result.words_[i] |= other.words_[i];
  }
  return result;
}

absl::StatusOr<CpuSet> GetAffinity(pid_t tid) {
  // The kernel wants room for its nr_cpu_ids bits and says EINVAL for less.
  uint64_t words[(CpuSet::kMaxId + 1) / 64];
  const long bytes = syscall(SYS_sched_getaffinity, tid, sizeof(words), words);
  if (bytes < 0) return ErrnoStatus(errno, absl::StrCat("sched_getaffinity of task ", tid));
  CpuSet set;
  for (uint32_t i = 0; i < bytes / sizeof(uint64_t); ++i) {
    for (uint64_t word = words[i]; word != 0; word &= word - 1) set.Add(i * 64 + std::countr_zero(word));
  }
  return set;
}

absl::Status SetAffinity(pid_t tid, const CpuSet& cpus) {
  const std::vector<uint64_t>& words = cpus.words();
  if (syscall(SYS_sched_setaffinity, tid, words.size() * sizeof(uint64_t), words.data()) == 0) return absl::OkStatus();
  return ErrnoStatus(errno, absl::StrCat("sched_setaffinity of task ", tid, " to CPUs ", cpus.ToString()));
}

}  // namespace muster
