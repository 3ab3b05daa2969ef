// Which cgroup controllers can be used, and why others cannot.
#ifndef MUSTER_DAEMON_CGROUP_CONTROLLERS_H_
#define MUSTER_DAEMON_CGROUP_CONTROLLERS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace muster {

struct ControllerStatus {
  // As "cpuset".
  std::string name;
  bool available = false;
  // Why not; empty when available.
  std::string reason;
};

// What the kernel shows about controllers.
struct ControllerEvidence {
  // Text of /proc/self/mountinfo.
  std::string mountinfo;
  // Text of /proc/cgroups; may be empty.
  std::string proc_cgroups;
  // Controllers of the version 2 hierarchy's root (as far as it can be seen).
  std::vector<std::string> hierarchy;
  // Controllers of the cgroup that our own tree stands in, and its path for the message.
  std::vector<std::string> base;
  std::string base_path;
};

// One entry for each controller that a setting can need: cpu, cpuset, io, memory, pids.
std::vector<ControllerStatus> ExplainControllers(const ControllerEvidence& evidence);

}  // namespace muster

#endif  // MUSTER_DAEMON_CGROUP_CONTROLLERS_H_
