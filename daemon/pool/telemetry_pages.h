// What Custom programs write through their telemetry descriptors.
#ifndef MUSTER_DAEMON_POOL_TELEMETRY_PAGES_H_
#define MUSTER_DAEMON_POOL_TELEMETRY_PAGES_H_

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cstdint>
#include <map>

#include "absl/status/status.h"
#include "base/errno_status.h"
#include "base/unique_fd.h"
#include "worker/telemetry/muster_telemetry.h"

namespace muster {

// Owns read-only mappings, one per program; unmaps them when destroyed. Thread-compatible; what the pages hold is
// hostile.
class TelemetryPages {
 public:
  TelemetryPages() = default;
  TelemetryPages(const TelemetryPages&) = delete;
  TelemetryPages& operator=(const TelemetryPages&) = delete;
  ~TelemetryPages() {
    for (const auto& [worker, page] : pages_) munmap(page, MUSTER_TELEMETRY_BYTES);
  }

  // Maps the descriptor, which may be closed afterwards.
  absl::Status Add(uint32_t worker, const UniqueFd& fd) {
    // A page that the program could cut off would kill its reader.
    struct stat status;
    const int seals = fcntl(fd.get(), F_GET_SEALS);
    if (fstat(fd.get(), &status) != 0 || status.st_size < MUSTER_TELEMETRY_BYTES || (seals & F_SEAL_SHRINK) == 0 ||
        seals < 0) {
      return absl::InternalError("a program's telemetry is no sealed page");
    }
    void* page = mmap(nullptr, MUSTER_TELEMETRY_BYTES, PROT_READ, MAP_SHARED, fd.get(), 0);
    if (page == MAP_FAILED) return ErrnoStatus(errno, "mmap of a program's telemetry");
    pages_[worker] = page;
    return absl::OkStatus();
  }

  // Null: that worker is no program.
  const muster_telemetry* Find(uint32_t worker) const {
    const auto found = pages_.find(worker);
    return found == pages_.end() ? nullptr : static_cast<const muster_telemetry*>(found->second);
  }

 private:
  std::map<uint32_t, void*> pages_;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_POOL_TELEMETRY_PAGES_H_
