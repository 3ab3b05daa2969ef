// A set of CPUs or memory nodes of any size, in the kernel's list notation.
#ifndef MUSTER_BASE_CPU_SET_H_
#define MUSTER_BASE_CPU_SET_H_

#include <sched.h>
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace muster {

// Value type; ids are 0 to kMaxId. Thread-compatible.
class CpuSet {
 public:
  // Largest id that Parse accepts; above every kernel's NR_CPUS (8,192) and MAX_NUMNODES (1,024).
  static constexpr uint32_t kMaxId = 65535;

  CpuSet() = default;

  // Reads "0-3,8"; surrounding white space is ignored and "" is the empty set. INVALID_ARGUMENT names the bad piece.
  static absl::StatusOr<CpuSet> Parse(absl::string_view text);

  // The kernel's notation, ascending, ranges joined: "0-3,8"; "" when empty.
  std::string ToString() const;

  void Add(uint32_t id);
  bool Contains(uint32_t id) const;
  bool empty() const { return Count() == 0; }
  size_t Count() const;
  // Ascending.
  std::vector<uint32_t> Ids() const;
  CpuSet Intersect(const CpuSet& other) const;
  CpuSet Union(const CpuSet& other) const;
  bool IsSubsetOf(const CpuSet& other) const { return Intersect(other) == *this; }
  friend bool operator==(const CpuSet& a, const CpuSet& b) { return a.Ids() == b.Ids(); }

  // One bit per id, as sched_setaffinity and set_mempolicy want it; at least one word.
  const std::vector<uint64_t>& words() const { return words_; }

 private:
  std::vector<uint64_t> words_{0};
};

// Affinity of a task (0: the caller). Masks of any size. Errors name the task and the set.
absl::StatusOr<CpuSet> GetAffinity(pid_t tid);
absl::Status SetAffinity(pid_t tid, const CpuSet& cpus);

}  // namespace muster

#endif  // MUSTER_BASE_CPU_SET_H_
