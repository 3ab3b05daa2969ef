#include "tools/vm/run/kept_guests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "tools/vm/run/guest_dir.h"
#include "tools/vm/run/leashed_process.h"

namespace muster::vm {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class KeptGuestsTest : public ::testing::Test {
 protected:
  KeptGuestsTest() : root_(::testing::TempDir() + "/kept"), dir_(*GuestDir::Create(root_)) {}
  ~KeptGuestsTest() override { std::filesystem::remove_all(root_); }
  // A process that waits for ever, with `word` on its command line.
  LeashedProcess Sleeper(const std::string& word) {
    return *LeashedProcess::Spawn({{"tail", "-f", "/dev/null", word}});
  }
  const std::string root_;
  const GuestDir dir_;
};

TEST_F(KeptGuestsTest, RecordedGuestIsListed) {
  ASSERT_TRUE(RecordKeptGuest({dir_.path(), "vsock://3:7070", {12, 34}}).ok());
  const auto guests = ListKeptGuests(root_);
  ASSERT_TRUE(guests.ok()) << guests.status();
  ASSERT_EQ(guests->size(), 1u);
  EXPECT_EQ((*guests)[0].address, "vsock://3:7070");
  EXPECT_THAT((*guests)[0].pids, ElementsAre(12, 34));
}

TEST_F(KeptGuestsTest, GuestInUseIsNotListed) { EXPECT_THAT(*ListKeptGuests(root_), IsEmpty()); }

TEST_F(KeptGuestsTest, StopEndsItsProcessesAndRemovesItsFolder) {
  const LeashedProcess qemu = Sleeper(dir_.path() + "/image.cpio");
  ASSERT_TRUE(StopKeptGuest({dir_.path(), "", {qemu.pid()}}).ok());
  EXPECT_TRUE(qemu.HasEnded());
  EXPECT_FALSE(std::filesystem::exists(dir_.path()));
}

TEST_F(KeptGuestsTest, NumberOfAnotherProgramIsLeftAlone) {
  const LeashedProcess stranger = Sleeper("something else");
  EXPECT_TRUE(StopKeptGuest({dir_.path(), "", {stranger.pid()}}).ok());
  EXPECT_FALSE(stranger.HasEnded());
}

}  // namespace
}  // namespace muster::vm
