#include "tools/vm/run/guest_watch.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "tools/vm/run/leashed_process.h"

namespace muster::vm {
namespace {

TEST(GuestWatchTest, EndIsTold) {
  const auto process = LeashedProcess::Spawn({{"sleep", "1000"}});
  ASSERT_TRUE(process.ok()) << process.status();
  std::promise<void> ended;
  const GuestWatch watch(process->pidfd(), [&] { ended.set_value(); });
  process->Kill();
  EXPECT_EQ(ended.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
}

TEST(GuestWatchTest, WatchThatIsOverIsSilent) {
  const auto process = LeashedProcess::Spawn({{"sleep", "1000"}});
  ASSERT_TRUE(process.ok()) << process.status();
  std::atomic<bool> told = false;
  {
    const GuestWatch watch(process->pidfd(), [&] { told = true; });
  }
  process->Kill();
  EXPECT_FALSE(told);
}

}  // namespace
}  // namespace muster::vm
