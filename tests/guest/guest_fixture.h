// A guest for a suite of tests: booted once, used by all.
#ifndef MUSTER_TESTS_GUEST_GUEST_FIXTURE_H_
#define MUSTER_TESTS_GUEST_GUEST_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/client.h"
#include "tools/vm/run/guest.h"

namespace muster {

// The spec that the text says; a test that writes a wrong one fails.
v1::WorkloadSpec ParseSpec(const std::string& text);

// Each suite derives from it and boots its guest in SetUpTestSuite. Every test has a client, and must leave no pool
// behind. A test that fails shows the guest's last words.
class GuestTest : public testing::Test {
 protected:
  // `flags` as those of `muster vm run`. Without a guest every test of the suite fails.
  static void Boot(const std::vector<std::string>& flags);
  static void TearDownTestSuite();

  void SetUp() override;
  void TearDown() override;

  Client& client() { return *client_; }
  static vm::Guest& guest() { return *guest_; }

  WorkloadHandle Spawn(const std::string& spec);
  // Lets it run, by the host's clock.
  static void Run(const WorkloadHandle& pool, absl::Duration duration);
  // Spawn, start, run, stop: all reports, in worker order.
  std::vector<v1::WorkerReport> RunSpec(const std::string& spec, absl::Duration duration);

 private:
  static std::unique_ptr<vm::Guest> guest_;
  std::optional<Client> client_;
};

// CPU time over wall time of a worker's loop.
double CpuShare(const v1::WorkerReport& report);

}  // namespace muster

#endif  // MUSTER_TESTS_GUEST_GUEST_FIXTURE_H_
