#include "daemon/poolhost/stray_reaper.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <map>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/file_io.h"
#include "base/mutex.h"
#include "base/no_threads_testing.h"
#include "daemon/poolhost/children.h"

namespace muster {
namespace {

Deadline Soon() { return Deadline::After(absl::Seconds(20)); }

class Ears : public StrayListener {
 public:
  void OnStrayReaped(pid_t pid, const ProcessEnd& end) override {
    MutexLock lock(&mutex_);
    ends_[pid] = end;
    changed_.NotifyAll();
  }
  // Absent: nothing was heard in time.
  std::optional<ProcessEnd> WaitFor(pid_t pid) {
    MutexLock lock(&mutex_);
    while (ends_.count(pid) == 0 && changed_.WaitUntil(&mutex_, Soon().when())) {
    }
    const auto found = ends_.find(pid);
    return found == ends_.end() ? std::nullopt : std::optional(found->second);
  }
  size_t WaitForCount(size_t count) {
    MutexLock lock(&mutex_);
    while (ends_.size() < count && changed_.WaitUntil(&mutex_, Soon().when())) {
    }
    return ends_.size();
  }
  size_t count() {
    MutexLock lock(&mutex_);
    return ends_.size();
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::map<pid_t, ProcessEnd> ends_ ABSL_GUARDED_BY(mutex_);
};

class StrayReaperTest : public testing::Test {
 protected:
  void SetUp() override {
    auto reaper = StrayReaper::Start();
    ASSERT_TRUE(reaper.ok()) << reaper.status();
    reaper_ = *std::move(reaper);
    reaper_->SetListener(&ears_);
  }
  void TearDown() override {
    const Deadline deadline = Soon();
    while (!ListChildren("/proc").empty() && !deadline.Expired()) std::this_thread::yield();
    reaper_.reset();
    for (const pid_t child : ListChildren("/proc")) {
      ADD_FAILURE() << "the test leaves a child behind: "
                    << ReadFile(absl::StrCat("/proc/", child, "/stat")).value_or("gone");
    }
  }

  SpawnedProcess Spawn(const std::string& program, std::vector<std::string> arguments) {
    auto child = reaper_->Spawn({program, std::move(arguments)});
    EXPECT_TRUE(child.ok()) << child.status();
    return *std::move(child);
  }

  // Runs a shell that leaves processes behind when it ends; `script` writes the number of one of them to standard
  // output. The shell ends only when that has been read, and when that process has ended of `first_signal`, if one is
  // given; then the script ends in exec cat.
  pid_t Leave(const std::string& script, int first_signal = 0) {
    int out[2], in[2];
    EXPECT_EQ(pipe2(out, O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(in, O_CLOEXEC), 0);
    UniqueFd out_read(out[0]), out_write(out[1]), in_read(in[0]), in_write(in[1]);
    SpawnOptions options = {"/bin/sh", {"sh", "-c", script + "; read nothing"}};
    options.descriptors = {{0, in_read.get()}, {1, out_write.get()}};
    const auto shell = reaper_->Spawn(options);
    EXPECT_TRUE(shell.ok()) << shell.status();
    out_write.Reset();
    char text[32] = {};
    EXPECT_GT(read(out_read.get(), text, sizeof(text) - 1), 0);
    pid_t pid = -1;
    EXPECT_TRUE(absl::SimpleAtoi(text, &pid)) << text;
    if (first_signal != 0) {
      // The script has become cat, which reaps nobody, when it repeats what we write.
      EXPECT_TRUE(write(in_write.get(), "x", 1) == 1 && read(out_read.get(), text, 1) == 1);
      const auto process = Pidfd::Open(pid);
      EXPECT_TRUE(process.ok() && process->Signal(first_signal).ok() && process->WaitEnd(Soon()).ok());
    }
    in_write.Reset();
    EXPECT_TRUE(reaper_->Reap(*shell, Soon()).ok());
    return pid;
  }

  Ears ears_;
  std::unique_ptr<StrayReaper> reaper_;
};

TEST_F(StrayReaperTest, WithoutRoomForAThreadThereIsNone) {
  const NoThreadsForTesting full;
  const absl::Status status = StrayReaper::Start().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
}

TEST_F(StrayReaperTest, AnOrphanThatLivesIsKilledAndReaped) {
  const pid_t orphan = Leave("sleep 100 >/dev/null & echo $!");
  const auto end = ears_.WaitFor(orphan);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->signal, SIGKILL);
}

TEST_F(StrayReaperTest, AnOrphanInASessionOfItsOwnIsFoundToo) {
  ASSERT_TRUE(ears_.WaitFor(Leave("setsid sh -c 'echo $$; exec sleep 100 >/dev/null' & :")).has_value());
}

TEST_F(StrayReaperTest, WhatAKilledOrphanLeavesBehindIsKilledToo) {
  const pid_t grandchild = Leave("sh -c 'setsid sleep 100 >/dev/null & echo $!; exec sleep 100 >/dev/null' & :");
  ASSERT_TRUE(ears_.WaitFor(grandchild).has_value());
}

TEST_F(StrayReaperTest, HowAnOrphanEndedIsTold) {
  const pid_t orphan = Leave("sleep 100 >/dev/null & echo $!; exec cat", SIGTERM);
  const auto end = ears_.WaitFor(orphan);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->signal, SIGTERM) << "it was a zombie already when it came to us";
}

TEST_F(StrayReaperTest, OwnedChildrenAreLeftAloneWhileStrangersAreReaped) {
  const SpawnedProcess owned = Spawn("/bin/sleep", {"sleep", "100"});
  ASSERT_TRUE(ears_.WaitFor(Leave("sleep 100 >/dev/null & echo $!")).has_value());
  EXPECT_EQ(owned.pidfd.WaitEnd(Deadline::After(absl::ZeroDuration())).code(), absl::StatusCode::kDeadlineExceeded);
  ASSERT_EQ(owned.pidfd.Signal(SIGTERM), absl::OkStatus());
  const auto end = reaper_->Reap(owned, Soon());
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->signal, SIGTERM);
  EXPECT_EQ(ears_.count(), 1u);
}

TEST_F(StrayReaperTest, AnOwnedZombieWaitsForItsOwner) {
  const SpawnedProcess owned = Spawn("/bin/sh", {"sh", "-c", "exit 3"});
  ASSERT_EQ(owned.pidfd.WaitEnd(Soon()), absl::OkStatus());
  ASSERT_TRUE(ears_.WaitFor(Leave("sleep 100 >/dev/null & echo $!")).has_value()) << "a sweep has passed by it";
  const auto end = reaper_->Reap(owned, Soon());
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->exit_code, 3);
}

TEST_F(StrayReaperTest, AdoptedChildrenBelongToTheirOwner) {
  // Made behind the reaper's back, before any sweep can come: nobody has ended yet.
  auto child = SpawnProcess({"/bin/sleep", {"sleep", "100"}});
  ASSERT_TRUE(child.ok());
  reaper_->Adopt(child->pid);
  ASSERT_TRUE(ears_.WaitFor(Leave("sleep 100 >/dev/null & echo $!")).has_value());
  ASSERT_EQ(child->pidfd.Signal(SIGTERM), absl::OkStatus());
  const auto end = child->pidfd.Reap(Soon());
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->signal, SIGTERM);
}

TEST_F(StrayReaperTest, WithoutAListenerStrangersAreReapedAllTheSame) {
  reaper_->SetListener(nullptr);
  Leave("sleep 100 >/dev/null & echo $!");
  reaper_->SetListener(&ears_);
  ASSERT_TRUE(ears_.WaitFor(Leave("sleep 100 >/dev/null & echo $!")).has_value()) << "the reaper goes on";
}

TEST_F(StrayReaperTest, SpawnsOfManyThreadsAndStrangersDoNotMixUp) {
  std::vector<std::thread> owners;
  for (int i = 0; i < 4; ++i) {
    owners.emplace_back([this, i] {
      for (int k = 0; k < 10; ++k) {
        const auto child =
            reaper_->Spawn({"/bin/sh", {"sh", "-c", "sleep 100 >/dev/null & exit " + std::to_string(i + 1)}});
        ASSERT_TRUE(child.ok()) << child.status();
        const auto end = reaper_->Reap(*child, Soon());
        ASSERT_TRUE(end.ok()) << end.status();
        EXPECT_EQ(end->exit_code, i + 1) << "somebody else killed or reaped it";
      }
    });
  }
  for (std::thread& owner : owners) owner.join();
  EXPECT_EQ(ears_.WaitForCount(40), 40u);
}

}  // namespace
}  // namespace muster
