// What docs/work-types.md must say of each type, made from the catalogue.
#ifndef MUSTER_WORKER_WORK_TESTING_WORK_TYPES_DOC_H_
#define MUSTER_WORKER_WORK_TESTING_WORK_TYPES_DOC_H_

#include <string>

#include "muster/v1/catalogue.pb.h"

namespace muster {

// "Field `pipe_io` · groups of 2 · 1024 units per iteration · samples: wake · fork, thread"
std::string DocFacts(const v1::WorkTypeInfo& info);

// The table of parameters; empty for a type without any.
std::string DocParameters(const v1::WorkTypeInfo& info);

}  // namespace muster

#endif  // MUSTER_WORKER_WORK_TESTING_WORK_TYPES_DOC_H_
