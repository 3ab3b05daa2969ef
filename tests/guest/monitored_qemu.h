// QEMU with a monitor, which can halt the guest's CPUs.
#ifndef MUSTER_TESTS_GUEST_MONITORED_QEMU_H_
#define MUSTER_TESTS_GUEST_MONITORED_QEMU_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace muster {

// Path of a program, for --qemu, that starts QEMU with `arguments` before its own. It is made in `directory`.
std::string QemuWith(const std::string& directory, const std::string& name, const std::string& arguments);

// The arguments for QemuWith that give QEMU a monitor which this process alone uses; one guest at a time has it.
std::string MonitorArguments();

// Has the monitor execute "stop" or "cont": the guest's CPUs and its clock stand still in between, while QEMU lives on.
absl::Status TellMonitor(const std::string& command);

}  // namespace muster

#endif  // MUSTER_TESTS_GUEST_MONITORED_QEMU_H_
