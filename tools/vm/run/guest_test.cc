#include "tools/vm/run/guest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/file_io.h"
#include "tools/vm/run/kept_guests.h"

namespace muster::vm {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kBooted[] =
    "echo 'muster-init: up uptime_ms=1000'\n"
    "echo 'muster-init: machine-ready uptime_ms=1100'\n"
    "echo 'muster-init: daemon-started uptime_ms=1200'\n";
constexpr char kReady[] = "echo 'muster-init: daemon-ready uptime_ms=1300'\n";

// A script takes QEMU's place: it says on the console what a guest would say.
class GuestTest : public ::testing::Test {
 protected:
  GuestTest() : folder_(::testing::TempDir() + "/guest-test") { std::filesystem::create_directories(folder_); }
  ~GuestTest() override { std::filesystem::remove_all(folder_); }

  GuestOptions Options(const std::string& script) {
    GuestOptions options;
    options.qemu = folder_ + "/qemu";
    options.transport = "tcp";
    options.root = folder_ + "/guests";
    options.image = "image";
    Script("qemu", script);
    return options;
  }
  void Script(const std::string& name, const std::string& script) {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path) << "#!/bin/sh\n" << script;
    chmod(path.c_str(), 0755);
  }

  std::unique_ptr<Guest> Launch(const std::string& script) {
    absl::StatusOr<std::unique_ptr<Guest>> guest = Guest::Launch(Options(script));
    EXPECT_TRUE(guest.ok()) << guest.status();
    return *std::move(guest);
  }

  // Both waits, as one boot.
  std::optional<GuestFailure> Boot(Guest* guest, absl::Duration limit = absl::Seconds(30)) {
    const Deadline deadline = Deadline::After(limit);
    const std::optional<GuestFailure> failure = guest->WaitForInit(deadline);
    return failure.has_value() ? failure : guest->WaitForDaemon(deadline);
  }

  const std::string folder_;
};

TEST_F(GuestTest, BootIsTimedByItsStages) {
  const auto guest = Launch(std::string(kBooted) + kReady + "read line\n");
  EXPECT_FALSE(Boot(guest.get()).has_value());
  EXPECT_EQ(guest->boot_times().kernel, absl::Seconds(1));
  EXPECT_EQ(guest->boot_times().init, absl::Milliseconds(200));
}

TEST_F(GuestTest, PanicIsTold) {
  const auto guest = Launch("echo '[ 1.0] Kernel panic - not syncing: VFS'\nread line\n");
  const auto failure = Boot(guest.get());
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->code, kExitPanicked);
  EXPECT_THAT(failure->message, HasSubstr("the guest's kernel panicked: Kernel panic - not syncing: VFS"));
}

TEST_F(GuestTest, GuestWithoutAWordHasHung) {
  const auto guest = Launch("read line\n");
  const auto failure = Boot(guest.get(), absl::Milliseconds(100));
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->code, kExitBootHung);
  EXPECT_THAT(failure->message, HasSubstr("its console is empty"));
}

TEST_F(GuestTest, DaemonThatIsSilentOrEndsNeverServed) {
  const auto silent = Launch(std::string(kBooted) + "read line\n");
  EXPECT_FALSE(silent->WaitForInit(Deadline::After(absl::Seconds(60))).has_value());
  EXPECT_EQ(silent->WaitForDaemon(Deadline::After(absl::Milliseconds(100)))->code, kExitNeverServed);
  const auto ended =
      Launch(std::string(kBooted) + "echo 'muster-init: daemon-ended exit=7 uptime_ms=1300'\nread line\n");
  const auto failure = Boot(ended.get());
  EXPECT_EQ(failure->code, kExitNeverServed);
  EXPECT_THAT(failure->message, HasSubstr("exit=7"));
}

TEST_F(GuestTest, GuestThatEndsAfterItServedIsLost) {
  const auto guest = Launch(std::string(kBooted) + kReady + "read line\n");
  EXPECT_FALSE(Boot(guest.get()).has_value());
  EXPECT_FALSE(guest->FindFailure().has_value());
  guest->Kill();
  EXPECT_FALSE(guest->PowerOff(Deadline::After(absl::Seconds(10))) > absl::Seconds(9));
  EXPECT_EQ(guest->FindFailure()->code, kExitGuestLost);
}

TEST_F(GuestTest, PowerOffOfAGuestThatHasEndedIsHarmless) {
  const auto guest = Launch(std::string(kBooted) + kReady + "read line\n");
  EXPECT_FALSE(Boot(guest.get()).has_value());
  guest->Kill();
  guest->PowerOff(Deadline::After(absl::Seconds(10)));
  // Now nobody reads the console for certain.
  guest->PowerOff(Deadline::After(absl::Seconds(10)));
  EXPECT_EQ(guest->FindFailure()->code, kExitGuestLost);
}

TEST_F(GuestTest, RefusalOfQemuIsPassedOn) {
  const auto guest = Guest::Launch(Options("echo 'bad option' >&2\nexit 1\n"));
  EXPECT_THAT(std::string(guest.status().message()), HasSubstr("QEMU ended at its start: bad option"));
}

TEST_F(GuestTest, PowerOffAsksOnTheConsole) {
  const auto guest = Launch(std::string(kBooted) + kReady +
                            "read line\n[ \"$line\" = poweroff ] && echo 'muster-init: power-off uptime_ms=2000'\n");
  EXPECT_FALSE(Boot(guest.get()).has_value());
  guest->PowerOff(Deadline::After(absl::Seconds(10)));
  EXPECT_THAT(guest->ConsoleTail(1), HasSubstr("power-off"));
}

TEST_F(GuestTest, GuestThatWillNotGoIsKilledAtTheDeadline) {
  const auto guest = Launch(std::string(kBooted) + kReady + "exec sleep 1000\n");
  EXPECT_FALSE(Boot(guest.get()).has_value());
  guest->PowerOff(Deadline::After(absl::Milliseconds(50)));
}

TEST_F(GuestTest, NothingIsLeftOfAGuest) {
  std::string directory;
  pid_t pid = -1;
  {
    const auto guest = Launch(std::string(kBooted) + "exec sleep 1000\n");
    directory = guest->directory();
    pid = guest->qemu_pid();
  }
  EXPECT_FALSE(std::filesystem::exists(directory));
  EXPECT_EQ(waitpid(pid, nullptr, 0), -1);
}

TEST_F(GuestTest, KeptGuestRunsOnUntilItIsStopped) {
  // As real QEMU it has its folder on its command line.
  GuestOptions options = Options(std::string(kBooted) + kReady +
                                 "for word; do case $word in */image.cpio) exec tail -f $word;; esac; done\n");
  options.may_be_kept = true;
  auto guest = Guest::Launch(options);
  ASSERT_TRUE(guest.ok()) << guest.status();
  EXPECT_FALSE(Boot(guest->get()).has_value());
  const std::string address = (*guest)->address();
  const pid_t pid = (*guest)->qemu_pid();
  Guest::Keep(*std::move(guest));
  const auto kept = ListKeptGuests(options.root);
  ASSERT_EQ(kept->size(), 1u);
  EXPECT_EQ((*kept)[0].address, address);
  EXPECT_TRUE(StopKeptGuest((*kept)[0]).ok());
  EXPECT_EQ(waitpid(pid, nullptr, 0), pid);
  EXPECT_THAT(*ListKeptGuests(options.root), IsEmpty());
}

TEST_F(GuestTest, DeviceOfAKeptGuestThatHasEndedByItselfIsFoundAndStopped) {
  GuestOptions options = Options(std::string(kBooted) + kReady + "read line\n");
  options.transport = "vhost-device-vsock";
  options.host_vsock.device_program = folder_ + "/device";
  options.may_be_kept = true;
  // As the real one it makes its socket and has it on its command line.
  Script("device",
         "for word; do case $word in *,socket=*) socket=${word#*,socket=}; socket=${socket%%,*};; esac; done\n"
         ": > $socket\nexec tail -f $socket\n");
  auto guest = Guest::Launch(options);
  ASSERT_TRUE(guest.ok()) << guest.status();
  const std::vector<KeptGuest> before = *ListKeptGuests(options.root);
  ASSERT_EQ(before.size(), 1u);
  ASSERT_EQ(before[0].pids.size(), 2u);
  const pid_t qemu = before[0].pids[0];
  const pid_t device = before[0].pids[1];
  // QEMU's script ends with its input.
  Guest::Keep(*std::move(guest));
  ASSERT_EQ(waitpid(qemu, nullptr, 0), qemu);
  const std::vector<KeptGuest> after = *ListKeptGuests(options.root);
  EXPECT_EQ(after.size(), 1u);
  for (const KeptGuest& found : after) EXPECT_TRUE(StopKeptGuest(found).ok());
  EXPECT_THAT(*ListKeptGuests(options.root), IsEmpty());
  const bool ended = waitpid(device, nullptr, WNOHANG) == device;
  EXPECT_TRUE(ended);
  if (!ended && kill(device, SIGKILL) == 0) waitpid(device, nullptr, 0);
}

TEST_F(GuestTest, OneThreadMayLookForAFailureWhileAnotherAsksForTheScheduler) {
  const auto guest =
      Launch(std::string(kBooted) + kReady +
             "seq=0\nwhile read line; do seq=$((seq + 1))\n"
             "echo \"muster-init: scheduler state=enabled ops=fifo enable_seq=$seq nr_rejected=0 switch_all=1 "
             "uptime_ms=1400\"\ndone\n");
  EXPECT_FALSE(Boot(guest.get()).has_value());
  std::atomic<bool> asked = false;
  std::thread looker([&] {
    while (!asked) EXPECT_FALSE(guest->FindFailure().has_value());
  });
  for (int look = 0; look < 20; ++look) EXPECT_TRUE(guest->SampleScheduler(Deadline::After(absl::Seconds(30))).ok());
  asked = true;
  looker.join();
}

}  // namespace
}  // namespace muster::vm
