#include "worker/core/effective.h"

#include <linux/mempolicy.h>
#include <sched.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cinttypes>
#include <cstring>

#include "worker/arena/text.h"
#include "worker/core/sched_attr.h"

namespace muster {
namespace {

// Above every kernel's MAX_NUMNODES.
constexpr unsigned kMaxNodes = 1'024;

constexpr const char* kModeNames[] = {"default", "preferred",      "bind", "interleave",
                                      "local",   "preferred-many", "weighted-interleave"};

// Appends to a text with printf formats; what does not fit is left out.
class Writer {
 public:
  explicit Writer(PolicyText* text) : text_(text) { memset(text->bytes, 0, sizeof(text->bytes)); }

  template <typename... Args>
  void Append(const char* format, Args... args) {
    char piece[sizeof(PolicyText)];
    const int length = snprintf(piece, sizeof(piece), format, args...);
    if (length < 0 || length_ + length > sizeof(text_->bytes)) return;
    memcpy(text_->bytes + length_, piece, length);
    length_ += length;
  }

 private:
  PolicyText* const text_;
  size_t length_ = 0;
};

bool HasBit(const unsigned long* words, unsigned bit) { return (words[bit / 64] >> (bit % 64) & 1) != 0; }

// "0-3,8".
void AppendList(const unsigned long* words, Writer* writer) {
  const char* separator = "";
  for (unsigned first = 0; first < kMaxNodes; ++first) {
    if (!HasBit(words, first)) continue;
    unsigned last = first;
    while (last + 1 < kMaxNodes && HasBit(words, last + 1)) ++last;
    if (last == first) {
      writer->Append("%s%u", separator, first);
    } else {
      writer->Append("%s%u-%u", separator, first, last);
    }
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
      return writer.Append("SCHED_OTHER nice %d", attr.sched_nice);
    case SCHED_BATCH:
      return writer.Append("SCHED_BATCH nice %d", attr.sched_nice);
    case SCHED_IDLE:
      return writer.Append("SCHED_IDLE nice %d", attr.sched_nice);
    case SCHED_FIFO:
      return writer.Append("SCHED_FIFO %u", attr.sched_priority);
    case SCHED_RR:
      return writer.Append("SCHED_RR %u", attr.sched_priority);
    case kSchedDeadline:
      return writer.Append("SCHED_DEADLINE %" PRIu64 "/%" PRIu64 "/%" PRIu64, uint64_t{attr.sched_runtime},
                           uint64_t{attr.sched_deadline}, uint64_t{attr.sched_period});
    case kSchedExt:
      return writer.Append("SCHED_EXT nice %d", attr.sched_nice);
    default:
      return writer.Append("policy %u", attr.sched_policy);
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
    writer.Append("%s", kModeNames[kind]);
  } else {
    writer.Append("mode %u", kind);
  }
  AppendFlags(mode, &writer);
  if (kind == MPOL_LOCAL) return;
  writer.Append(":");
  AppendList(nodes, &writer);
}

}  // namespace muster
