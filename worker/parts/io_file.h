// Files for work that does I/O: never a device, never left behind.
#ifndef MUSTER_WORKER_PARTS_IO_FILE_H_
#define MUSTER_WORKER_PARTS_IO_FILE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/unique_fd.h"

namespace muster {

// Directory for files of I/O work: `asked` when it is not empty, else that of the daemon's flag (environment variable
// MUSTER_IO_DIR), else /tmp.
std::string IoDirectory(absl::string_view asked);

// A new file without a name in `directory`, open for reading and writing; it vanishes with its last descriptor. `flags`
// are added to those of open(2), as O_SYNC. Errors name the directory.
absl::StatusOr<UniqueFd> OpenTemporaryFile(const std::string& directory, int flags = 0);

}  // namespace muster

#endif  // MUSTER_WORKER_PARTS_IO_FILE_H_
