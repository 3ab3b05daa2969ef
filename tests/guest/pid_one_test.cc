// Two CPUs: musterd itself is pid 1, by the kernel's command line.
#include "absl/strings/str_cat.h"
#include "tests/guest/guest_fixture.h"
#include "tests/guest/sound_report.h"

namespace muster {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

// "splash" is a word that no kernel knows: it comes to init, before all flags.
std::vector<std::string> FlagsOf(const std::string& init) {
  return {"--cpus=2",
          "--transport=vhost-device-vsock",
          "--init=musterd",
          absl::StrCat("--append=rdinit=", init, " splash"),
          "--daemon-arg=--allow-exec",
          "--daemon-arg=--max-retained-pools=77",
          "--add=bin/stranger:tests/guest/stranger"};
}

[[maybe_unused]] const auto* const kGuest =
    testing::AddGlobalTestEnvironment(new SharedGuest(FlagsOf("/bin/stranger")));

class PidOneTest : public GuestTest {
 protected:
  void RunStranger(const std::string& what) { RunProgram(absl::StrCat("path: '/bin/stranger' args: '", what, "'")); }
};

TEST_F(PidOneTest, TheMainJobRunsFromSpawnToReports) {
  const auto reports = RunSpec(
      R"(num_workers: 4 work { pipe_io {} } cgroup: "job" cgroups { name: "job" settings { cpuset_cpus: "1" } })",
      AllWorked);
  for (const v1::WorkerReport& report : reports) {
    ExpectSound(report);
    EXPECT_THAT(report.cgroup_at_start(), EndsWith("/job"));
    EXPECT_EQ(report.effective_cpus(), "1");
  }
}

TEST_F(PidOneTest, FlagsComeFromTheKernelsCommandLine) {
  const auto info = client().ServerInfo();
  ASSERT_TRUE(info.ok()) << info.status();
  bool found = false;
  for (const v1::Limit& limit : info->limits())
    found = found || (limit.name() == "max_retained_pools" && limit.value() == 77);
  EXPECT_TRUE(found) << info->ShortDebugString();
}

TEST_F(PidOneTest, MachineIsMade) { RunStranger("look"); }

TEST_F(PidOneTest, OrphanThatNobodyKnowsIsReaped) { RunStranger("reap"); }

// A guest of its own for each way to ask for its end.
class PowerOffTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::vector<std::string> flags = FlagsOf("/init");
    const absl::Status transport = CheckTransport(flags);
    if (!transport.ok()) GTEST_SKIP() << "no vsock device can be had: " << transport;
    absl::StatusOr<std::unique_ptr<vm::Guest>> guest = BootGuest(flags);
    ASSERT_TRUE(guest.ok()) << guest.status();
    guest_ = *std::move(guest);
  }

  // Not by our hand, and only after the daemon has drained.
  void ExpectOrderlyEnd(const std::string& asked_by) {
    const absl::Status ended = guest_->qemu().WaitEnd(Deadline::After(absl::Minutes(2)));
    EXPECT_TRUE(ended.ok()) << ended;
    const std::string console = guest_->ConsoleTail(40);
    EXPECT_THAT(console,
                AllOf(HasSubstr(absl::StrCat("muster-init: end-asked by ", asked_by)),
                      HasSubstr("muster: ending: signal 15 from pid 1"), HasSubstr("muster-init: daemon-ended exit=0"),
                      HasSubstr("muster-init: power-off"), Not(HasSubstr("Kernel panic"))));
  }

  std::unique_ptr<vm::Guest> guest_;
};

TEST_F(PowerOffTest, OnASignalFromInside) {
  absl::StatusOr<Client> client = Client::Connect(guest_->address(), {.connect_timeout = absl::Minutes(3)});
  ASSERT_TRUE(client.ok()) << client.status();
  auto pool =
      client->Spawn(ParseSpec("work { custom { label: 'end' program { path: '/bin/stranger' args: 'power-off' } } }"));
  ASSERT_TRUE(pool.ok()) << pool.status();
  ASSERT_TRUE(pool->Start().ok());
  ExpectOrderlyEnd("signal=12 pid=");
}

TEST_F(PowerOffTest, OnTheHostsRequestOverTheConsole) {
  EXPECT_LT(guest_->PowerOff(Deadline::After(absl::Minutes(2))), absl::Minutes(2));
  ExpectOrderlyEnd("the console");
}

}  // namespace
}  // namespace muster
