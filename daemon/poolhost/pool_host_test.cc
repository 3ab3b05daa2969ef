#include "daemon/poolhost/pool_host.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/error_detail.h"
#include "base/no_threads_testing.h"
#include "daemon/poolhost/fake_host_process.h"

namespace muster {
namespace {

Deadline Soon() { return Deadline::After(absl::Seconds(20)); }

// Remembers what it heard; waits for it.
class Ears : public PoolHostListener {
 public:
  void OnWorkerDied(uint32_t worker) override {
    MutexLock lock(&mutex_);
    died_.push_back(worker);
    changed_.NotifyAll();
  }
  void OnHostEnded(const std::string& error) override {
    MutexLock lock(&mutex_);
    ++ends_;
    error_ = error;
    changed_.NotifyAll();
  }

  std::string WaitForEnd() {
    MutexLock lock(&mutex_);
    while (ends_ == 0 && changed_.WaitUntil(&mutex_, Soon().when())) {
    }
    EXPECT_EQ(ends_, 1);
    return error_;
  }
  std::vector<uint32_t> WaitForDeaths(size_t count) {
    MutexLock lock(&mutex_);
    while (died_.size() < count && changed_.WaitUntil(&mutex_, Soon().when())) {
    }
    return died_;
  }
  int ends() {
    MutexLock lock(&mutex_);
    return ends_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::vector<uint32_t> died_ ABSL_GUARDED_BY(mutex_);
  int ends_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string error_ ABSL_GUARDED_BY(mutex_);
};

// The test plays the pool host at the other end of the channel.
class PoolHostTest : public testing::Test {
 protected:
  PoolHostTest() : fake_(std::make_shared<FakeProcess>(4711)) {
    auto ends = control::Channel::MakePair();
    other_ = control::Channel(std::move(ends->second));
    LaunchedHost launched;
    launched.process = std::make_unique<FakeHostProcess>(fake_);
    launched.channel = std::move(ends->first);
    host_ = *PoolHost::Make(std::move(launched), &ears_);
  }
  ~PoolHostTest() override {
    fake_->End({0, 0});
    host_.reset();
  }

  control::Request NextRequest() {
    control::Request request;
    auto frame = other_.Receive(absl::Seconds(20));
    EXPECT_TRUE(frame.ok()) << frame.status();
    EXPECT_TRUE(frame.ok() && request.ParseFromString(frame->bytes));
    return request;
  }
  void Answer(uint64_t number, int code = 0, const std::string& text = "", const std::string& field = "") {
    control::Event event;
    event.mutable_reply()->set_number(number);
    event.mutable_reply()->set_code(code);
    event.mutable_reply()->set_message(text);
    event.mutable_reply()->set_field(field);
    ASSERT_EQ(other_.Send(event, {}, absl::Seconds(20)), absl::OkStatus());
  }
  static control::Request AskPlace(uint32_t worker) {
    control::Request request;
    request.mutable_place()->add_workers(worker);
    return request;
  }

  Ears ears_;
  std::shared_ptr<FakeProcess> fake_;
  control::Channel other_;
  std::unique_ptr<PoolHost> host_;
};

TEST_F(PoolHostTest, EachCallGetsTheReplyWithItsNumberInWhateverOrderTheyCome) {
  absl::StatusOr<control::Reply> first, second;
  std::thread one([&] { first = host_->Call(AskPlace(1), {}, Soon()); });
  const control::Request request_one = NextRequest();
  std::thread two([&] { second = host_->Call(AskPlace(2), {}, Soon()); });
  const control::Request request_two = NextRequest();
  Answer(request_two.number(), 0, "two");
  Answer(request_one.number(), 0, "one");
  one.join();
  two.join();
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(first->message(), "one");
  EXPECT_EQ(second->message(), "two");
}

TEST_F(PoolHostTest, AnErrorReplyKeepsCodeTextAndField) {
  absl::StatusOr<control::Reply> result;
  std::thread call([&] { result = host_->Call(AskPlace(1), {}, Soon()); });
  Answer(NextRequest().number(), 3, "composed[0].work.pipe_io: bad", "composed[0].work.pipe_io");
  call.join();
  EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(result.status().message(), "composed[0].work.pipe_io: bad");
  EXPECT_EQ(FieldOf(result.status()), "composed[0].work.pipe_io");
}

TEST_F(PoolHostTest, ACallEndsAtItsDeadlineAndALateReplyIsIgnored) {
  const auto late = host_->Call(AskPlace(1), {}, Deadline::After(absl::Milliseconds(20)));
  EXPECT_EQ(late.status().code(), absl::StatusCode::kDeadlineExceeded);
  Answer(NextRequest().number());
  absl::StatusOr<control::Reply> result;
  std::thread call([&] { result = host_->Call(AskPlace(2), {}, Soon()); });
  Answer(NextRequest().number(), 0, "second");
  call.join();
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->message(), "second");
}

TEST_F(PoolHostTest, ACallbackIsCalledAtTheDeadlineWithoutAnyReply) {
  Mutex mutex;
  CondVar changed;
  absl::Status status;
  host_->Send(AskPlace(1), {}, Deadline::After(absl::Milliseconds(20)), [&](absl::StatusOr<control::Reply> reply) {
    MutexLock lock(&mutex);
    status = reply.status();
    changed.NotifyAll();
  });
  MutexLock lock(&mutex);
  while (status.ok() && changed.WaitUntil(&mutex, Soon().when())) {
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(PoolHostTest, DeathFailsEveryPendingRequestAndTellsTheListenerHow) {
  absl::StatusOr<control::Reply> result;
  std::thread call([&] { result = host_->Call(AskPlace(1), {}, Soon()); });
  NextRequest();
  fake_->End({-1, 11});
  call.join();
  EXPECT_EQ(result.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(result.status().message().find("signal 11"), std::string::npos) << result.status();
  EXPECT_EQ(ears_.WaitForEnd(), "pool host 4711 was killed by signal 11");
  EXPECT_TRUE(fake_->reaped());
  EXPECT_EQ(host_->Call(AskPlace(1), {}, Soon()).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(PoolHostTest, WhatItSaidBeforeItDiedStillCounts) {
  control::Event event;
  event.mutable_worker_died()->set_worker(7);
  ASSERT_EQ(other_.Send(event, {}, absl::Seconds(1)), absl::OkStatus());
  fake_->End({1, 0});
  EXPECT_EQ(ears_.WaitForDeaths(1), std::vector<uint32_t>{7});
  EXPECT_EQ(ears_.WaitForEnd(), "pool host 4711 exited with code 1");
}

TEST_F(PoolHostTest, AHostThatClosesItsChannelIsKilled) {
  other_ = control::Channel(UniqueFd());
  EXPECT_EQ(ears_.WaitForEnd(), "pool host 4711 was killed by signal 9");
}

TEST_F(PoolHostTest, GarbageOnTheChannelEndsTheHost) {
  const char garbage[16] = {'\xff', '\xff', '\xff', '\xff', '\xff'};
  ASSERT_EQ(write(other_.fd(), garbage, sizeof(garbage)), 16);
  ears_.WaitForEnd();
  EXPECT_TRUE(fake_->killed());
}

TEST_F(PoolHostTest, EndAsksFirstAndAGoodEndIsNoError) {
  std::thread other([&] {
    const control::Request request = NextRequest();
    EXPECT_TRUE(request.has_kill());
    Answer(request.number());
    other_ = control::Channel(UniqueFd());
    fake_->End({0, 0});
  });
  EXPECT_EQ(host_->End(Soon()), absl::OkStatus());
  other.join();
  EXPECT_EQ(ears_.WaitForEnd(), "");
  EXPECT_FALSE(fake_->killed());
  EXPECT_EQ(host_->End(Soon()), absl::OkStatus()) << "a second End has nothing to do";
}

TEST_F(PoolHostTest, AHostThatDoesNotEndIsKilledAtTheDeadline) {
  EXPECT_EQ(host_->End(Deadline::After(absl::Milliseconds(20))), absl::OkStatus());
  EXPECT_TRUE(fake_->killed());
  EXPECT_TRUE(fake_->reaped());
}

TEST_F(PoolHostTest, AHostStuckInTheKernelDoesNotHoldUpItsOwner) {
  fake_->Stick();
  const absl::Status ended = host_->End(Deadline::After(absl::Milliseconds(20)));
  EXPECT_EQ(ended.code(), absl::StatusCode::kDeadlineExceeded);
  host_.reset();
  EXPECT_EQ(ears_.ends(), 0);
}

TEST_F(PoolHostTest, DescriptorsTravelWithTheRequest) {
  const UniqueFd fd(dup(0));
  control::Request request;
  request.mutable_plan()->set_pool_id("p1");
  host_->Send(request, {fd.get()}, Soon(), [](const absl::StatusOr<control::Reply>&) {});
  auto frame = other_.Receive(absl::Seconds(20));
  ASSERT_TRUE(frame.ok());
  EXPECT_EQ(frame->descriptors.size(), 1u);
}

TEST_F(PoolHostTest, ManyThreadsMayCallAtOnceWhileItDies) {
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&] {
      for (int k = 0; k < 50; ++k) host_->Call(AskPlace(1), {}, Soon()).IgnoreError();
    });
  }
  for (int i = 0; i < 20; ++i) Answer(NextRequest().number());
  fake_->End({0, 0});
  for (std::thread& caller : callers) caller.join();
  ears_.WaitForEnd();
}

TEST(PoolHostWithoutThreadsTest, IsAnErrorAndLeavesNoProcess) {
  const auto fake = std::make_shared<FakeProcess>(4712);
  Ears ears;
  LaunchedHost launched;
  launched.process = std::make_unique<FakeHostProcess>(fake);
  launched.channel = std::move(control::Channel::MakePair()->first);
  const NoThreadsForTesting full;
  const absl::Status status = PoolHost::Make(std::move(launched), &ears).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_TRUE(fake->killed());
  EXPECT_TRUE(fake->reaped());
}

}  // namespace
}  // namespace muster
