// Settings of a cgroup as the kernel wants them written.
#ifndef MUSTER_DAEMON_CGROUP_SETTINGS_H_
#define MUSTER_DAEMON_CGROUP_SETTINGS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/cpu_set.h"
#include "muster/v1/workload.pb.h"

namespace muster {

// One write to an interface file. Equal settings, however written ("0,1" or "0-1"), give equal writes.
struct SettingWrite {
  // Field of the spec, as "spec.settings.cpu_weight".
  std::string field;
  // Needed controller, as "cpu".
  std::string controller;
  // Interface file, as "cpu.weight".
  std::string file;
  std::string value;

  friend bool operator==(const SettingWrite& a, const SettingWrite& b) {
    return a.file == b.file && a.value == b.value;
  }
};

// What settings are checked against.
struct SettingLimits {
  CpuSet online_cpus;
  CpuSet memory_nodes;
};

// Checks the settings of `spec` and puts them into the kernel's words, in a fixed order. INVALID_ARGUMENT names the
// field below `field` ("spec"), the range and the value; also for a THREADED one with settings that need a domain.
absl::StatusOr<std::vector<SettingWrite>> ResolveSettings(const v1::CgroupSpec& spec, absl::string_view field,
                                                          const SettingLimits& limits);

}  // namespace muster

#endif  // MUSTER_DAEMON_CGROUP_SETTINGS_H_
