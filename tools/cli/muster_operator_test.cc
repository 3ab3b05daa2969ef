// The program's commands about what is there, against a daemon without workers.
#include <gtest/gtest.h>

#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/client.h"
#include "tests/support/fake_muster.h"
#include "tests/support/program_run.h"
#include "tools/cli/proto_json.h"

namespace muster {
namespace {

class MusterOperatorTest : public testing::Test {
 protected:
  // `muster` on the fake daemon.
  ProgramResult Muster(std::vector<std::string> args) {
    return RunProgram("tools/muster", std::move(args), {"MUSTER_TARGET=" + fake_.address()});
  }

  // A pool p1 of two workers that somebody else owns.
  void MakePool() {
    client_.emplace(*Client::Connect(fake_.address()));
    v1::WorkloadSpec spec;
    spec.set_num_workers(2);
    pool_.emplace(*client_->Spawn(spec));
  }

  FakeMuster fake_;
  std::optional<Client> client_;
  std::optional<WorkloadHandle> pool_;
};

TEST_F(MusterOperatorTest, PsListsThePools) {
  MakePool();
  const ProgramResult result = Muster({"ps"});
  EXPECT_EQ(result.exit_code, 0) << result.standard_error;
  EXPECT_TRUE(absl::StrContains(result.standard_output, "p1             started           2"))
      << result.standard_output;
}

TEST_F(MusterOperatorTest, PsJsonIsTheMessage) {
  EXPECT_EQ(Muster({"ps", "--json"}).standard_output, "{\"pools\":[]}\n");
}

TEST_F(MusterOperatorTest, SnapshotHasALinePerWorker) {
  MakePool();
  const ProgramResult result = Muster({"snapshot", "p1"});
  EXPECT_EQ(result.exit_code, 0) << result.standard_error;
  EXPECT_TRUE(
      absl::StrContains(result.standard_output, "     1           11           1024 running       0          0\n"))
      << result.standard_output;
}

TEST_F(MusterOperatorTest, WatchPrintsUpdatesUntilThePoolEnds) {
  v1::WatchUpdate update;
  update.add_iterations_delta(3);
  update.add_iterations_delta(4);
  v1::WatchUpdate last = update;
  last.set_final(true);
  fake_.SetWatchUpdates({update, last});
  const ProgramResult result = Muster({"watch", "p1", "--period", "10ms"});
  EXPECT_EQ(result.exit_code, 0) << result.standard_error;
  EXPECT_EQ(result.standard_output,
            "+7 iterations, +0 work units, 0/0 workers running\n"
            "+7 iterations, +0 work units, 0/0 workers running, ended\n");
  EXPECT_EQ(fake_.last_watch().period().nanos(), 10'000'000);
}

TEST_F(MusterOperatorTest, StopCollectsConfirmsAndJudges) {
  MakePool();
  const ProgramResult result = Muster({"stop", "p1"});
  EXPECT_EQ(result.exit_code, 0) << result.standard_error;
  EXPECT_TRUE(absl::StartsWith(result.standard_output, "--- stats ---\n2 workers")) << result.standard_output;
  EXPECT_EQ(fake_.Count("ConfirmReports p1"), 1);
}

TEST_F(MusterOperatorTest, StopJudgesGapsByThePoolsOwnThreshold) {
  client_.emplace(*Client::Connect(fake_.address()));
  v1::WorkloadSpec strict;
  strict.mutable_gap_threshold()->set_seconds(1);
  pool_.emplace(*client_->Spawn(strict));
  v1::WorkerReport report;
  report.set_iterations(1);
  report.set_max_gap_ms(1500);
  fake_.SetReports({report});
  const ProgramResult result = Muster({"stop", "p1"});
  EXPECT_EQ(result.exit_code, 1) << result.standard_output << result.standard_error;
  EXPECT_TRUE(absl::StrContains(result.standard_output, "above the threshold of 1000 ms")) << result.standard_output;
}

TEST_F(MusterOperatorTest, StopPublishesTheSpecThatTheDaemonResolved) {
  client_.emplace(*Client::Connect(fake_.address()));
  v1::WorkloadSpec spec;
  spec.set_num_workers(3);
  spec.mutable_work()->mutable_pipe_io()->set_burst_iters(7);
  spec.add_composed()->set_cgroup("cg1");
  pool_.emplace(*client_->Spawn(spec));
  const ProgramResult result = Muster({"stop", "p1", "--json"});
  EXPECT_TRUE(absl::StrContains(result.standard_output,
                                absl::StrCat("\"resolvedSpec\":", *ToJson(pool_->resolved_spec()), ",\"reports\"")))
      << result.standard_output;
}

TEST_F(MusterOperatorTest, PoolThatIsNotThereIs66) {
  EXPECT_EQ(Muster({"stop", "p9"}).exit_code, 66);
  EXPECT_EQ(Muster({"snapshot", "p9"}).exit_code, 66);
}

TEST_F(MusterOperatorTest, DropIsNoErrorTheSecondTime) {
  MakePool();
  EXPECT_EQ(Muster({"drop", "p1"}).standard_output, "dropped p1\n");
  const ProgramResult again = Muster({"drop", "p1"});
  EXPECT_EQ(again.standard_output, "there was no p1\n");
  EXPECT_EQ(again.exit_code, 0);
}

TEST_F(MusterOperatorTest, CgroupIsMadeToStayAndRemovedByName) {
  const ProgramResult made = Muster({"cgroup", "create", "a/b", "--cpus", "0-1", "--cpu-weight", "50", "--cpu-quota",
                                     "50ms", "--kind", "threaded_root"});
  EXPECT_EQ(made.exit_code, 0) << made.standard_error;
  EXPECT_EQ(made.standard_output, "/sys/fs/cgroup/muster/fake/a/b\n");
  const v1::CreateCgroupRequest request = fake_.last_create_cgroup();
  EXPECT_TRUE(request.keep());
  EXPECT_EQ(request.spec().kind(), v1::THREADED_ROOT);
  EXPECT_EQ(request.spec().settings().cpuset_cpus(), "0-1");
  EXPECT_EQ(request.spec().settings().cpu_weight(), 50u);
  EXPECT_EQ(request.spec().settings().cpu_max_quota().nanos(), 50'000'000);
  EXPECT_EQ(Muster({"cgroup", "rm", "a/b"}).exit_code, 0);
  EXPECT_EQ(fake_.Count("RemoveCgroup a/b"), 1);
}

TEST_F(MusterOperatorTest, CgroupFlagsOutOfTheirRangeAreUsageErrors) {
  EXPECT_EQ(Muster({"cgroup", "create", "a", "--cpu-weight", "0"}).exit_code, 64);
  EXPECT_EQ(Muster({"cgroup", "create", "a", "--kind", "round"}).exit_code, 64);
  EXPECT_EQ(Muster({"cgroup", "create", "a", "--cpu-quota", "much"}).exit_code, 64);
  EXPECT_EQ(fake_.Count("CreateCgroup a"), 0);
}

TEST_F(MusterOperatorTest, TypesShowParametersAndMissingNeeds) {
  v1::GetServerInfoResponse info;
  info.set_protocol_min(1);
  info.set_protocol_max(1);
  v1::WorkTypeInfo* type = info.add_work_types();
  type->set_name("PipeIo");
  type->set_field("pipe_io");
  type->set_summary("Pairs.");
  type->set_group_size(2);
  v1::ParameterInfo* parameter = type->add_parameters();
  parameter->set_name("burst_iters");
  parameter->set_type("uint64");
  parameter->set_default_value("1024");
  parameter->set_unit("iterations");
  parameter->set_min(0);
  parameter->set_max(9);
  parameter->set_description("Spin steps.");
  type->add_streams(v1::WAKE);
  type->add_streams(v1::ITERATION_COST);
  type->add_needs()->set_need("CAP_SYS_NICE");
  fake_.SetServerInfo(info);
  EXPECT_EQ(Muster({"types"}).standard_output,
            "PipeIo  { pipe_io {} }  Pairs.\n"
            "    groups of 2\n"
            "    burst_iters: uint64, default 1024 iterations, 0 to 9. Spin steps.\n"
            "    samples: wake, cost\n"
            "    needs CAP_SYS_NICE: missing here; \n");
  EXPECT_TRUE(absl::StartsWith(Muster({"types", "--json"}).standard_output, "{\"workTypes\":[{\"name\":\"PipeIo\""));
}

TEST_F(MusterOperatorTest, InfoNamesTheDaemonAndItsMachine) {
  const ProgramResult result = Muster({"info"});
  EXPECT_EQ(result.exit_code, 0) << result.standard_error;
  EXPECT_TRUE(absl::StrContains(result.standard_output, "musterd        fake, protocol 1 to 1"))
      << result.standard_output;
}

}  // namespace
}  // namespace muster
