// What a worker reads about itself in /proc, and the parsers of it.
#ifndef MUSTER_WORKER_METER_PROCFS_H_
#define MUSTER_WORKER_METER_PROCFS_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"
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

// Opens procfs itself, for TaskFiles of this process and its children: whatever is mounted over /proc later, or
// wherever their root is. Invalid when it cannot be opened.
UniqueFd OpenProc();

// The two files that a worker keeps open from its first reading on, so that each costs one pread.
class TaskFiles {
 public:
  // The main thread of a process has the same files one folder up, where the kernel makes two inodes less for them.
  enum class Of { kThread, kProcess };

  // Opens the calling thread's own below a directory of OpenProc; kProcess: only for a main thread. Errors show at the
  // first reading.
  static TaskFiles Open(int proc_fd, Of of);

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

// The same for all threads of a process: a reading takes time in proportion to the process's mappings, of which each
// thread has some. Thread-safe.
class SharedNumaPages {
 public:
  // The first call reads, all others copy what it has read.
  absl::Status Read(uint64_t* pages);
  uint32_t readings() const;

 private:
  mutable Mutex mutex_;
  uint32_t readings_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  uint64_t pages_[arena::kMaxNodeId + 1] ABSL_GUARDED_BY(mutex_) = {};
};

}  // namespace muster

#endif  // MUSTER_WORKER_METER_PROCFS_H_
