// What a worker reads about itself in /proc, and the parsers of it. Descriptors are opened before the gate, so that a reading
// costs one pread.
#ifndef MUSTER_WORKER_METER_PROCFS_H_
#define MUSTER_WORKER_METER_PROCFS_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/unique_fd.h"
#include "worker/arena/layout.h"

namespace muster {

// One line of schedstat.
struct Schedstat {
  uint64_t cpu_ns = 0;
  uint64_t run_delay_ns = 0;
  uint64_t run_count = 0;
};

// Three unsigned numbers, and whatever follows them; none when the text has fewer.
std::optional<Schedstat> ParseSchedstat(absl::string_view text);

// The value of the line "NAME VALUE"; none when there is no such line or its value is no number.
std::optional<uint64_t> ParseVmstat(absl::string_view text, absl::string_view name);

// Adds up the N<node>=<pages> tokens of numa_maps, in pieces of any size. Nodes above kMaxNodeId are ignored.
class NumaMapsParser {
 public:
  // `pages` has kMaxNodeId + 1 entries, zeroed by the caller.
  explicit NumaMapsParser(uint64_t* pages) : pages_(pages) {}

  void Feed(absl::string_view piece);
  // After the last piece.
  void Finish() { EndToken(); }

 private:
  // A token is dropped as soon as it cannot be N<node>=<pages> any more.
  enum class Expect { kN, kNode, kPages, kNothing };

  void Take(char c);
  void EndToken();

  uint64_t* const pages_;
  Expect expect_ = Expect::kN;
  bool has_digits_ = false;
  uint64_t node_ = 0;
  uint64_t count_ = 0;
};

// The two files that a worker keeps open. Errors of opening show at the first reading.
class TaskFiles {
 public:
  // The main thread of a process has the same files one folder up, where the kernel makes two inodes less for them.
  enum class Of { kThread, kProcess };

  // Opens the calling thread's own; kProcess: only for a main thread.
  static TaskFiles Open(Of of);

  absl::StatusOr<Schedstat> ReadSchedstat() const;
  // Stores the cgroup's path; the text is left alone when there is none.
  absl::Status ReadCgroup(arena::CgroupText* cgroup) const;

 private:
  absl::Status ReadLongCgroup(arena::CgroupText* cgroup) const;

  UniqueFd schedstat_;
  UniqueFd cgroup_;
};

// numa_pages_migrated of /proc/vmstat; NOT_FOUND on a kernel without NUMA.
absl::StatusOr<uint64_t> ReadNumaPagesMigrated();

// Sums /proc/self/numa_maps into `pages` (kMaxNodeId + 1 entries, zeroed here).
absl::Status ReadNumaPages(uint64_t* pages);

}  // namespace muster

#endif  // MUSTER_WORKER_METER_PROCFS_H_
