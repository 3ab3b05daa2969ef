#include "worker/core/effective.h"

#include <linux/mempolicy.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "absl/strings/string_view.h"
#include "worker/arena/text.h"
#include "worker/core/sched_attr.h"

namespace muster {
namespace {

// Above every kernel's MAX_NUMNODES.
constexpr unsigned kMaxNodes = 1'024;

constexpr const char* kModeNames[] = {"default",        "preferred",          "bind", "interleave", "local",
                                      "preferred-many", "weighted-interleave"};

// Appends to a text; what does not fit is left out. Without printf, which costs a worker that has just started 15 us of
// page faults: code, tables and stack that nothing else touches.
class Writer {
 public:
  explicit Writer(PolicyText* text) : text_(text) { memset(text->bytes, 0, sizeof(text->bytes)); }

  void Append(absl::string_view piece) {
    if (length_ + piece.size() > sizeof(text_->bytes)) return;
    memcpy(text_->bytes + length_, piece.data(), piece.size());
    length_ += piece.size();
  }

  void Append(int64_t number) {
    char digits[24];
    char* const end = digits + sizeof(digits);
    char* at = end;
    uint64_t rest = number < 0 ? -static_cast<uint64_t>(number) : static_cast<uint64_t>(number);
    do {
      *--at = static_cast<char>('0' + rest % 10);
      rest /= 10;
    } while (rest != 0);
    if (number < 0) *--at = '-';
    Append(absl::string_view(at, end - at));
  }

 private:
  PolicyText* const text_;
  size_t length_ = 0;
};

void AppendClass(absl::string_view name, int64_t value, Writer* writer) {
  writer->Append(name);
  writer->Append(value);
}

void AppendDeadline(const SchedAttr& attr, Writer* writer) {
  AppendClass("SCHED_DEADLINE ", static_cast<int64_t>(attr.sched_runtime), writer);
  AppendClass("/", static_cast<int64_t>(attr.sched_deadline), writer);
  AppendClass("/", static_cast<int64_t>(attr.sched_period), writer);
}

bool HasBit(const unsigned long* words, unsigned bit) { return (words[bit / 64] >> (bit % 64) & 1) != 0; }

// "0-3,8".
void AppendList(const unsigned long* words, Writer* writer) {
  const char* separator = "";
  for (unsigned first = 0; first < kMaxNodes; ++first) {
    if (!HasBit(words, first)) continue;
    unsigned last = first;
    while (last + 1 < kMaxNodes && HasBit(words, last + 1)) ++last;
    AppendClass(separator, first, writer);
    if (last != first) AppendClass("-", last, writer);
    separator = ",";
    first = last;
  }
}

void AppendFlags(int mode, Writer* writer) {
  if ((mode & MPOL_F_STATIC_NODES) != 0) writer->Append("=static");
  if ((mode & MPOL_F_RELATIVE_NODES) != 0) writer->Append("=relative");
  if ((mode & MPOL_F_NUMA_BALANCING) != 0) writer->Append("=balancing");
}

}  // namespace

void ReadEffectiveCpus(uint64_t (&words)[(arena::kMaxCpuId + 1) / 64]) {
  // Returns the bytes that it wrote; the rest stays zero.
  memset(words, 0, sizeof(words));
  syscall(SYS_sched_getaffinity, 0, sizeof(words), words);
}

void ReadEffectivePolicy(PolicyText* text) {
  Writer writer(text);
  SchedAttr attr;
  if (!GetSchedAttr(&attr)) return;
  switch (attr.sched_policy) {
    case SCHED_OTHER:
      return AppendClass("SCHED_OTHER nice ", attr.sched_nice, &writer);
    case SCHED_BATCH:
      return AppendClass("SCHED_BATCH nice ", attr.sched_nice, &writer);
    case SCHED_IDLE:
      return AppendClass("SCHED_IDLE nice ", attr.sched_nice, &writer);
    case SCHED_FIFO:
      return AppendClass("SCHED_FIFO ", attr.sched_priority, &writer);
    case SCHED_RR:
      return AppendClass("SCHED_RR ", attr.sched_priority, &writer);
    case kSchedDeadline:
      return AppendDeadline(attr, &writer);
    case kSchedExt:
      return AppendClass("SCHED_EXT nice ", attr.sched_nice, &writer);
    default:
      return AppendClass("policy ", attr.sched_policy, &writer);
  }
}

void ReadEffectiveMemPolicy(PolicyText* text) {
  Writer writer(text);
  int mode = 0;
  unsigned long nodes[kMaxNodes / 64] = {};
  if (syscall(SYS_get_mempolicy, &mode, nodes, kMaxNodes, nullptr, 0) != 0) return;
  const unsigned kind = static_cast<unsigned>(mode & ~MPOL_MODE_FLAGS);
  if (kind == MPOL_DEFAULT) return;
  if (kind < sizeof(kModeNames) / sizeof(kModeNames[0])) {
    writer.Append(kModeNames[kind]);
  } else {
    AppendClass("mode ", kind, &writer);
  }
  AppendFlags(mode, &writer);
  if (kind == MPOL_LOCAL) return;
  writer.Append(":");
  AppendList(nodes, &writer);
}

}  // namespace muster
