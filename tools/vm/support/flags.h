// The command line's flags, under the names that `muster vm` uses.
#ifndef MUSTER_TOOLS_VM_SUPPORT_FLAGS_H_
#define MUSTER_TOOLS_VM_SUPPORT_FLAGS_H_

#include "tools/cli/flags.h"

namespace muster::vm {

using muster::DescribeFlags;
using muster::Flags;
using muster::FlagSpec;

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_SUPPORT_FLAGS_H_
