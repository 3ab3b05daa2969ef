#include "tools/vm/run/console_log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace muster::vm {
namespace {

BootProgress After(const std::vector<std::string>& lines) {
  BootProgress progress;
  for (const std::string& line : lines) Observe(line, &progress);
  return progress;
}

TEST(ConsoleLogTest, StagesOfInitAreRead) {
  const BootProgress progress =
      After({"muster-init: up uptime_ms=1200\r", "[    1.3] noise muster-init: machine-ready uptime_ms=1300",
             "muster-init: daemon-started uptime_ms=1310", "muster-init: daemon-ready uptime_ms=1500"});
  EXPECT_EQ(progress.up, absl::Milliseconds(1200));
  EXPECT_EQ(progress.machine_ready, absl::Milliseconds(1300));
  EXPECT_EQ(progress.daemon_started, absl::Milliseconds(1310));
  EXPECT_EQ(progress.daemon_ready, absl::Milliseconds(1500));
  EXPECT_FALSE(progress.panic.has_value());
}

TEST(ConsoleLogTest, EndOfTheDaemonIsTold) {
  EXPECT_EQ(After({"muster-init: daemon-ended exit=2 uptime_ms=99"}).daemon_ended, "exit=2");
}

TEST(ConsoleLogTest, FirstPanicIsTheOne) {
  EXPECT_EQ(After({"[    0.9] Kernel panic - not syncing: No working init found.", "Kernel panic - not syncing: again"})
                .panic,
            "Kernel panic - not syncing: No working init found.");
}

TEST(ConsoleLogTest, OtherLinesSayNothing) {
  const BootProgress progress = After({"", "muster-init: up", "muster-init: up uptime_ms=x", "up uptime_ms=1"});
  EXPECT_FALSE(progress.up.has_value());
}

TEST(ConsoleLogTest, FileIsFollowedAcrossHalfLines) {
  const std::string path = ::testing::TempDir() + "/console";
  std::ofstream file(path);
  ConsoleLog log(path);
  EXPECT_FALSE(log.Update());
  file << "first\nmuster-init: up upt" << std::flush;
  EXPECT_TRUE(log.Update());
  EXPECT_FALSE(log.progress().up.has_value());
  EXPECT_EQ(log.Tail(5), "first\nmuster-init: up upt");
  file << "ime_ms=7\nthird\n" << std::flush;
  EXPECT_TRUE(log.Update());
  EXPECT_EQ(log.progress().up, absl::Milliseconds(7));
  EXPECT_EQ(log.Tail(2), "muster-init: up uptime_ms=7\nthird");
  unlink(path.c_str());
}

}  // namespace
}  // namespace muster::vm
