// A Custom program: the worker becomes it.
#ifndef MUSTER_WORKER_CORE_EXEC_PROGRAM_H_
#define MUSTER_WORKER_CORE_EXEC_PROGRAM_H_

#include "absl/status/status.h"
#include "muster/v1/work.pb.h"

namespace muster {

// Replaces the calling process by the program. It starts with its own environment (and MUSTER_TELEMETRY_FD when
// `telemetry_fd` is not negative), no signal blocked, every signal at its default, and no descriptors but the standard
// streams and the telemetry. Returns only when that failed; the descriptors are closed nevertheless.
absl::Status ExecProgram(const v1::Custom::Program& program, int telemetry_fd);

}  // namespace muster

#endif  // MUSTER_WORKER_CORE_EXEC_PROGRAM_H_
