#include "tools/vm/run/scheduler_watch.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>

namespace muster::vm {
namespace {

constexpr char kActive[] = "scheduler state=enabled ops=fifo enable_seq=1 nr_rejected=0 switch_all=1";
constexpr char kGone[] = "scheduler state=disabled ops=- enable_seq=1 nr_rejected=0 switch_all=0";

class SchedulerWatchTest : public testing::Test {
 protected:
  SchedulerWatchTest() : path_(std::filesystem::path(testing::TempDir()) / "console.log") {
    std::filesystem::remove(path_);
    Say("scheduler state=disabled ops=- enable_seq=0 nr_rejected=0 switch_all=0");
    Say(kActive);
    start_.state = "enabled";
    start_.ops = "fifo";
    start_.enable_seq = 1;
  }
  ~SchedulerWatchTest() override { std::filesystem::remove(path_); }

  void Say(const std::string& line) {
    std::ofstream(path_, std::ios::app) << "muster-init: " << line << " uptime_ms=1\n";
  }

  const std::string path_;
  SchedulerSample start_;
};

TEST_F(SchedulerWatchTest, TheEndOfTheSchedulerIsTold) {
  std::promise<void> ended;
  const SchedulerWatch watch(path_, start_, [&] { ended.set_value(); });
  Say(kActive);
  Say(kGone);
  EXPECT_EQ(ended.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
}

TEST_F(SchedulerWatchTest, ASchedulerThatStaysAndAWatchThatIsOverAreSilent) {
  std::atomic<bool> told = false;
  {
    const SchedulerWatch watch(path_, start_, [&] { told = true; });
    Say(kActive);
  }
  Say(kGone);
  EXPECT_FALSE(told);
}

}  // namespace
}  // namespace muster::vm
