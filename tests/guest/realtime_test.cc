// Four CPUs that real-time workers own, and of which the kernel keeps hardly a share for ordinary tasks: whoever
// answers in time here has a real-time priority of its own, above the workers'.
#include "tests/guest/realtime_load.h"

namespace muster {
namespace {

// Vsock would not do: in the guest the kernel carries it in ordinary tasks.
[[maybe_unused]] const auto* const kGuest = testing::AddGlobalTestEnvironment(
    new SharedGuest({"--cpus=4", "--transport=tcp", "--add=bin/starve-ordinary-tasks:tests/guest/starve_ordinary_tasks",
                     "--daemon-arg=--allow-exec", kDaemonKeepaliveFlag}));

INSTANTIATE_TEST_SUITE_P(HardlyAShareForOrdinaryTasks, RealTimeLoadTest, testing::Values("/bin/starve-ordinary-tasks"));

}  // namespace
}  // namespace muster
