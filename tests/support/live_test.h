// Fixture of tests against a real daemon: one daemon, one client, and afterwards a look at what is left.
#ifndef MUSTER_TESTS_SUPPORT_LIVE_TEST_H_
#define MUSTER_TESTS_SUPPORT_LIVE_TEST_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/client.h"
#include "google/protobuf/text_format.h"
#include "tests/support/test_daemon.h"

namespace muster {

// The spec that the text says; a test that writes a wrong one ends.
inline v1::WorkloadSpec Spec(const std::string& text) {
  v1::WorkloadSpec spec;
  if (!google::protobuf::TextFormat::ParseFromString(text, &spec)) {
    ADD_FAILURE() << "this is no WorkloadSpec: " << text;
  }
  return spec;
}

// A pool whose workers run the function `name` of tests/support/misbehaviour.cc.
inline v1::WorkloadSpec FunctionSpec(const std::string& name, const std::string& config, const std::string& more) {
  return Spec("work { custom { label: '" + name + "' function { name: '" + name + "' config: '" + config + "' } } } " +
              more);
}

class LiveTest : public testing::Test {
 protected:
  // Time for what takes milliseconds on an idle machine.
  static constexpr absl::Duration kPatience = absl::Seconds(60);

  void SetUp() override { StartDaemon({}); }

  void StartDaemon(const TestDaemonOptions& options) {
    client_.reset();
    daemon_.reset();
    absl::StatusOr<std::unique_ptr<TestDaemon>> daemon = TestDaemon::Start(options);
    ASSERT_TRUE(daemon.ok()) << daemon.status();
    daemon_ = *std::move(daemon);
    absl::StatusOr<Client> client = Client::Connect(daemon_->address());
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
  }

  // Every test ends with its daemon idle, and then gone without a trace.
  void TearDown() override {
    client_.reset();
    if (daemon_ == nullptr || daemon_ended_) return;
    const absl::Status idle = daemon_->WaitUntilIdle(Deadline::After(kPatience));
    EXPECT_TRUE(idle.ok()) << idle;
    const absl::StatusOr<ProcessEnd> end = daemon_->End(SIGTERM, Deadline::After(kPatience));
    ASSERT_TRUE(end.ok()) << end.status();
    EXPECT_EQ(end->exit_code, 0) << "signal " << end->signal;
    const absl::Status gone = daemon_->WaitUntilNothingIsLeft(Deadline::After(kPatience));
    EXPECT_TRUE(gone.ok()) << gone;
  }

  WorkloadHandle MustSpawn(const v1::WorkloadSpec& spec, PoolOptions options = {}) {
    absl::StatusOr<WorkloadHandle> handle = client_->Spawn(spec, options);
    if (!handle.ok()) {
      ADD_FAILURE() << "Spawn: " << handle.status();
      abort();
    }
    return *std::move(handle);
  }

  // Watches until every worker but those in `except` has at least `iterations`.
  void WaitForProgress(const WorkloadHandle& handle, uint64_t iterations, const std::vector<uint32_t>& except = {}) {
    std::vector<uint64_t> wanted(handle.workers().size(), iterations);
    for (uint32_t worker : except) wanted[worker] = 0;
    WaitForIterations(handle, wanted);
  }

  // Watches until each worker has at least as many iterations as `wanted` says.
  void WaitForIterations(const WorkloadHandle& handle, const std::vector<uint64_t>& wanted) {
    std::vector<uint64_t> totals(wanted.size());
    const absl::Status watched = handle.Watch(absl::Milliseconds(10),
                                              [&](const v1::WatchUpdate& update) {
                                                bool all = true;
                                                for (size_t i = 0; i < totals.size(); ++i) {
                                                  totals[i] += update.iterations_delta(i);
                                                  all = all && totals[i] >= wanted[i];
                                                }
                                                return !all;
                                              },
                                              {.timeout = kPatience});
    EXPECT_TRUE(watched.ok()) << watched;
  }

  CollectedReports MustCollect(WorkloadHandle handle) {
    absl::StatusOr<CollectedReports> collected = std::move(handle).StopAndCollect();
    if (!collected.ok()) {
      ADD_FAILURE() << "StopAndCollect: " << collected.status();
      return {};
    }
    return *std::move(collected);
  }

  std::unique_ptr<TestDaemon> daemon_;
  std::optional<Client> client_;
  // The test itself has ended the daemon.
  bool daemon_ended_ = false;
};

}  // namespace muster

#endif  // MUSTER_TESTS_SUPPORT_LIVE_TEST_H_
