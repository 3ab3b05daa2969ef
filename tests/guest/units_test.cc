// Two CPUs: musterd as a service of a manager that has handed it a part of the cgroup tree.
#include <string.h>

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "tests/guest/guest_fixture.h"
#include "tests/guest/sound_report.h"

namespace muster {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Le;
using ::testing::StartsWith;

constexpr char kService[] = "/system.slice/musterd.service";

[[maybe_unused]] const auto* const kGuest = testing::AddGlobalTestEnvironment(
    new SharedGuest({"--cpus=2", "--transport=vhost-device-vsock", "--daemon-arg=--allow-exec",
                     "--add=bin/service-manager:tests/guest/service_manager"}));

// Each test has the service started anew, and a client of it.
class UnitsTest : public GuestTest {
 protected:
  void SetUp() override {
    GuestTest::SetUp();
    if (HasFatalFailure() || IsSkipped()) return;
    manager_ = StartSpec(R"(work { custom { label: "service" program {
        path: "/bin/service-manager" args: "--listen=vsock://any:7071" args: "--instance=unit" } } })");
    ASSERT_TRUE(manager_.has_value());
    const std::string address = absl::StrReplaceAll(guest().address(), {{":7070", ":7071"}});
    // It answers when it serves; nobody listens before that.
    const Deadline deadline = Deadline::After(kPatience);
    absl::StatusOr<Client> client = absl::UnavailableError("");
    while (!client.ok() && !deadline.Expired()) client = Client::Connect(address, {.connect_timeout = kPatience});
    ASSERT_TRUE(client.ok()) << client.status();
    service_.emplace(*std::move(client));
  }

  void TearDown() override {
    service_.reset();
    if (manager_.has_value()) {
      const auto collected = (*std::exchange(manager_, std::nullopt)).StopAndCollect();
      EXPECT_TRUE(collected.ok()) << collected.status();
    }
    GuestTest::TearDown();
  }

  // Where musterd stood when it began to serve, by the manager's words.
  static std::string Standing() {
    constexpr char kWords[] = "service-manager: standing in ";
    std::string found;
    const std::string console = guest().ConsoleTail(100);
    for (const absl::string_view line : absl::StrSplit(console, '\n')) {
      const size_t at = line.find(kWords);
      if (at != absl::string_view::npos) found = std::string(line.substr(at + strlen(kWords)));
    }
    return found;
  }

  std::optional<WorkloadHandle> manager_;
  std::optional<Client> service_;
};

TEST_F(UnitsTest, DaemonMovesToItsSupervisorLeafAndItsControllersActInTheDelegatedTree) {
  EXPECT_EQ(Standing(), absl::StrCat(kService, "/supervisor"));
  const auto info = service_->ServerInfo();
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_THAT(info->workload_root(), HasSubstr(absl::StrCat(kService, "/")));
  for (const v1::CgroupController& controller : info->cgroup_controllers()) {
    const bool handed_over = controller.name() == "cpu" || controller.name() == "cpuset" ||
                             controller.name() == "memory" || controller.name() == "pids";
    EXPECT_EQ(controller.available(), handed_over) << controller.name() << ": " << controller.reason();
  }
  auto pool = service_->Spawn(ParseSpec(R"(
      cgroups { name: "slow" settings { cpuset_cpus: "1" cpu_max_quota { nanos: 20000000 } cpu_max_period { nanos: 100000000 } } }
      work { spin_wait {} } cgroup: "slow")"));
  ASSERT_TRUE(pool.ok()) << pool.status();
  ASSERT_TRUE(pool->Start().ok());
  WaitUntil(*pool, PassedHere(absl::Seconds(4)));
  const auto collected = std::move(*pool).StopAndCollect();
  ASSERT_TRUE(collected.ok()) << collected.status();
  const v1::WorkerReport& report = collected->reports[0];
  ExpectSound(report);
  EXPECT_THAT(report.cgroup_at_start(), AllOf(StartsWith(absl::StrCat(kService, "/")), EndsWith("/slow")));
  EXPECT_EQ(report.effective_cpus(), "1");
  EXPECT_THAT(CpuShare(report), AllOf(Ge(0.15), Le(0.25)));
  // A limit of processes and one of memory, in the same tree.
  const absl::Status refused =
      service_->Spawn(ParseSpec("num_workers: 8 cgroup: 'few' cgroups { name: 'few' settings { pids_max: 4 } }"))
          .status();
  EXPECT_THAT(std::string(refused.message()), HasSubstr("pids.max"));
}

}  // namespace
}  // namespace muster
