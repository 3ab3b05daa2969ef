// How a worker ended, in words.
#ifndef MUSTER_PROTO_EXIT_TEXT_H_
#define MUSTER_PROTO_EXIT_TEXT_H_

#include <string>

#include "muster/v1/report.pb.h"

namespace muster {

// As "killed by signal 9, out of memory".
std::string DescribeExit(const v1::ExitInfo& exit_info);

}  // namespace muster

#endif  // MUSTER_PROTO_EXIT_TEXT_H_
