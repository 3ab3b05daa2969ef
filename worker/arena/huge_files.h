// Files in huge pages, for arenas.
#ifndef MUSTER_WORKER_ARENA_HUGE_FILES_H_
#define MUSTER_WORKER_ARENA_HUGE_FILES_H_

#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"
#include "base/unique_fd.h"

namespace muster::arena {

// A tmpfs of the caller's own, mounted nowhere, whose files lie in transparent huge pages as far as they fill them
// (huge=within_size); where the kernel finds no such page it takes small ones. It needs no setting of the machine, and
// goes with the last descriptor. Thread-safe.
class HugeFiles {
 public:
  // UNIMPLEMENTED: the kernel has no transparent huge pages, or is older than 5.2; PERMISSION_DENIED: the caller may
  // not mount.
  static absl::StatusOr<HugeFiles> Mount();

  // Whether parts of that size gain by it. Processes that touch parts of the same huge page for the first time wait for
  // each other at its lock, so no more than a few may share one.
  bool Suits(uint64_t part_bytes) const { return part_bytes >= huge_page_bytes_ / 4; }
  uint64_t huge_page_bytes() const { return huge_page_bytes_; }
  // An empty file without a name.
  absl::StatusOr<UniqueFd> Make() const;

  // Whether `fd` is a file without a name that a tmpfs lets nobody seal.
  static bool Made(int fd);

 private:
  HugeFiles(UniqueFd root, uint64_t huge_page_bytes) : root_(std::move(root)), huge_page_bytes_(huge_page_bytes) {}

  UniqueFd root_;
  uint64_t huge_page_bytes_;
};

}  // namespace muster::arena

#endif  // MUSTER_WORKER_ARENA_HUGE_FILES_H_
