// Every CPU of a guest has a worker at SCHED_FIFO 50 that never sleeps: who answers, and when. A guest's program says:
// INSTANTIATE_TEST_SUITE_P(FourCpus, RealTimeLoadTest, testing::Values("")); it tells its daemon kDaemonKeepaliveFlag.
#ifndef MUSTER_TESTS_GUEST_REALTIME_LOAD_H_
#define MUSTER_TESTS_GUEST_REALTIME_LOAD_H_

#include <optional>
#include <string>

#include "tests/guest/guest_fixture.h"

namespace muster {

// Both sides wait longer than usual for a sign of life: this machine may keep QEMU waiting for a second.
constexpr absl::Duration kPatientKeepalive = absl::Seconds(5);
constexpr char kDaemonKeepaliveFlag[] = "--daemon-arg=--keepalive-timeout=5s";

// With a parameter: first runs this program in the guest.
class RealTimeLoadTest : public GuestTest, public testing::WithParamInterface<std::string> {
 protected:
  RealTimeLoadTest() : GuestTest({.connection = {.keepalive_timeout = kPatientKeepalive}}) {}

  void SetUp() override;
  void TearDown() override;

  // The spinners, one on each CPU.
  std::optional<WorkloadHandle> pool_;
};

}  // namespace muster

#endif  // MUSTER_TESTS_GUEST_REALTIME_LOAD_H_
