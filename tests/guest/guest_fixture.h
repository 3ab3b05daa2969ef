// A guest for a test program: booted once, used by all its tests.
#ifndef MUSTER_TESTS_GUEST_GUEST_FIXTURE_H_
#define MUSTER_TESTS_GUEST_GUEST_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/client.h"
#include "client/operator.h"
#include "tools/vm/run/guest.h"

namespace muster {

// Flags as those of `muster vm run`. Emulated, so that it is the same guest everywhere; its daemon has patience, as
// this machine may be busy. A vsock device, a kernel or a QEMU that cannot be had is an error that says so. Ready when
// it returns.
absl::StatusOr<std::unique_ptr<vm::Guest>> BootGuest(std::vector<std::string> flags);

// OK when this machine has, or can fetch, what carries the transport that the flags ask for.
absl::Status CheckTransport(const std::vector<std::string>& flags);

// The guest that all tests of a program share: each program says once, at namespace scope,
//   const auto* const kGuest = testing::AddGlobalTestEnvironment(new SharedGuest({"--cpus=2"}));
// Where its transport cannot be had, the tests are skipped and say why.
class SharedGuest : public testing::Environment {
 public:
  explicit SharedGuest(std::vector<std::string> flags) : flags_(std::move(flags)) {}

  void SetUp() override;
  void TearDown() override;

 private:
  const std::vector<std::string> flags_;
};

// The spec that the text says; a test that writes a wrong one fails.
v1::WorkloadSpec ParseSpec(const std::string& text);

// A spec's text: a worker on each of these CPUs ("0-3"), of the group that the text says.
std::string OneOnEachCpu(const std::string& cpus, const std::string& group);

// Every test has a client, and must leave no pool behind; nobody may have taken the guest for dead meanwhile. A test
// that fails shows the guest's last words.
class GuestTest : public testing::Test {
 public:
  GuestTest() = default;
  // Of the client; its connect_timeout and on_event are the fixture's.
  explicit GuestTest(ClientOptions options) : options_(std::move(options)) {}

  // What a handle waits for: true for the totals that end the wait.
  using Reached = std::function<bool(const std::vector<uint64_t>& iterations)>;

  static void WaitUntil(const WorkloadHandle& pool, const Reached& reached);

 protected:
  // For what takes a second on an idle machine.
  static constexpr absl::Duration kPatience = absl::Minutes(3);

  void SetUp() override;
  void TearDown() override;

  Client& client() { return *client_; }
  static vm::Guest& guest();
  // How often the lease was reattached: each time the guest had been taken for dead.
  int reattached() const { return reattached_; }
  // Waits for the first time.
  bool IsReattachedInTime();

  // Until the guest, which this load keeps busy, was given that much time, and every worker has done something.
  static void RunFor(const WorkloadHandle& pool, absl::Duration least);

  // For loads that leave the guest idle: so much time from its first call, by this machine's clock.
  static Reached PassedHere(absl::Duration duration);

  // Spawn, start, run, stop: all reports, in worker order; after a failure as many empty ones.
  std::vector<v1::WorkerReport> RunSpec(const std::string& spec, absl::Duration least);
  std::vector<v1::WorkerReport> RunSpec(const std::string& spec, const Reached& reached);

  // Runs a program in the guest, as `custom { program { ... } }` says it, to its own end, which must be a good one.
  void RunProgram(const std::string& program);

  // Spawned and started. An empty optional is a failure that has been told.
  std::optional<WorkloadHandle> StartSpec(const std::string& spec);

  // The time that this machine has given the guest, whose CPUs share one thread. While they are all busy it goes as
  // the guest's clock does on a machine that has nothing else to do.
  static absl::Duration GuestTime();

  // Of the whole daemon.
  int CountPools();

 private:
  std::vector<v1::WorkerReport> Finish(std::optional<WorkloadHandle> pool, const std::string& spec);

  const ClientOptions options_;
  std::atomic<int> reattached_ = 0;
  std::optional<Client> client_;
};

// Every worker has iterations.
bool AllWorked(const std::vector<uint64_t>& iterations);

// CPU time over wall time of a worker's loop.
double CpuShare(const v1::WorkerReport& report);

}  // namespace muster

#endif  // MUSTER_TESTS_GUEST_GUEST_FIXTURE_H_
