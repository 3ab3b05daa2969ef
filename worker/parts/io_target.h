// What the I/O work types write to and read from: a file of the worker's own, or a block device that was named and
// allowed.
#ifndef MUSTER_WORKER_PARTS_IO_TARGET_H_
#define MUSTER_WORKER_PARTS_IO_TARGET_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/status_macros.h"
#include "base/unique_fd.h"

namespace muster {

inline constexpr size_t kIoBlockBytes = 4096;

// What a type asks for.
struct IoRequest {
  std::string directory;  // of the file; empty: see IoDirectory
  std::string device;     // empty: a file
  uint64_t file_kib = 0;
  int flags = 0;           // of open(2), beside reading and writing
  bool filled = false;     // the file has all its blocks before the work begins
  bool read_only = false;  // of a device: it is not written to
  uint32_t worker = 0;
};

// Refuses a device that is not named by an absolute path, or that the daemon does not allow (environment variable
// MUSTER_ALLOW_BLOCK_DEVICES). The message begins with the field.
absl::Status ValidateIoDevice(const std::string& device);

// An open target. The worker's part begins at `base`: all of its own file; of a device, which workers share, one of 64
// stripes by the worker's index, at least 64 KiB.
struct IoTarget {
  UniqueFd fd;
  uint64_t base = 0;
  uint64_t extent = 0;    // bytes; a multiple of 512
  uint64_t capacity = 0;  // bytes of the whole file or device
  std::string degraded;   // why it does not do what was asked for, as direct I/O; empty: it does
};
absl::StatusOr<IoTarget> OpenIoTarget(const IoRequest& request);

}  // namespace muster

#endif  // MUSTER_WORKER_PARTS_IO_TARGET_H_
