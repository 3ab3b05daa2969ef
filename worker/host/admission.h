// Whether a pool may be made at all: what needs the code of its work types.
#ifndef MUSTER_WORKER_HOST_ADMISSION_H_
#define MUSTER_WORKER_HOST_ADMISSION_H_

#include <string>

#include "absl/status/status.h"
#include "muster/control/control.pb.h"

namespace muster::host {

// Checks all groups of a plan in order, before anything is acquired: known work types, programs and functions, the
// rules of the types, group sizes, clone modes. INVALID_ARGUMENT names the field below the spec, as
// "composed[1].num_workers" (base/error_detail.h); FAILED_PRECONDITION: this daemon or machine may not.
absl::Status Admit(const control::Plan& plan);

// Name of the set arm of a work, as "pipe_io".
std::string ArmName(const v1::Work& work);

// True for a Custom program.
inline bool IsProgram(const v1::Work& work) { return work.custom().has_program(); }

}  // namespace muster::host

#endif  // MUSTER_WORKER_HOST_ADMISSION_H_
