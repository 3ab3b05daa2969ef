// Where the worker binary is.
#ifndef MUSTER_DAEMON_WORKER_BINARY_H_
#define MUSTER_DAEMON_WORKER_BINARY_H_

#include <string>

#include "absl/status/statusor.h"

namespace muster {

// Where to look.
struct WorkerBinaryPlaces {
  // The path that was given; empty: none.
  std::string given;
  // Directory of this program: looked at for muster-worker and, as in a build tree, for ../worker/muster-worker.
  std::string own_directory;
  // As of $PATH.
  std::string path;

  static WorkerBinaryPlaces OfThisProcess(const std::string& given);
};

// Absolute path of the first executable file. NOT_FOUND lists the places.
absl::StatusOr<std::string> FindWorkerBinary(const WorkerBinaryPlaces& places);

}  // namespace muster

#endif  // MUSTER_DAEMON_WORKER_BINARY_H_
