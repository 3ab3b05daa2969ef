#include "daemon/service/stream_call.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "base/event.h"
#include "base/test_run.h"
#include "daemon/service/connected_server.h"

namespace muster {
namespace {

bool Await(const Event& event) { return event.Wait(Deadline::After(absl::Seconds(20))); }

// What a test says that its source does, and what became of it. Outlives the stream.
struct Script {
  std::function<absl::Status(const CallContext&)> begin = [](const CallContext&) { return absl::OkStatus(); };
  std::function<absl::StatusOr<StreamStep>(v1::LeaseEvent*)> next;
  Mutex mutex;
  std::function<void()> wake;
  std::atomic<int> nexts = 0;
  std::atomic<bool> runs_ahead = false;
  Event begun;
  Event destroyed;

  void Wake() {
    std::function<void()> copy;
    {
      MutexLock lock(&mutex);
      copy = wake;
    }
    copy();
  }
};

class ScriptedSource final : public StreamSource<v1::LeaseEvent> {
 public:
  explicit ScriptedSource(Script* script) : script_(script) {}
  ~ScriptedSource() override { script_->destroyed.Set(); }

  absl::Status Begin(const CallContext& context, Waker wake) override {
    {
      MutexLock lock(&script_->mutex);
      script_->wake = std::move(wake);
    }
    const absl::Status status = script_->begin(context);
    script_->begun.Set();
    return status;
  }
  absl::StatusOr<StreamStep> Next(v1::LeaseEvent* event) override {
    ++script_->nexts;
    return script_->next(event);
  }
  bool RunsAhead() const override { return script_->runs_ahead; }

 private:
  Script* const script_;
};

class ScriptedService final : public v1::Muster::CallbackService {
 public:
  explicit ScriptedService(Script* script) : script_(script) {}
  grpc::ServerWriteReactor<v1::LeaseEvent>* OpenLease(grpc::CallbackServerContext* context,
                                                      const v1::OpenLeaseRequest*) override {
    return StreamCall<v1::LeaseEvent>::Start({context, &begin_, &peers_, absl::Seconds(20)}, &pump_,
                                             std::make_unique<ScriptedSource>(script_));
  }

 private:
  Script* const script_;
  PeerTable peers_;
  Executor begin_{{.name = "begin", .max_threads = 2, .max_queued = 8}};
  Executor pump_{{.name = "pump", .max_threads = 2, .max_queued = 1000}};
};

class StreamCallTest : public testing::Test {
 protected:
  ~StreamCallTest() override {
    server_.Shutdown();
    service_.reset();
  }

  std::unique_ptr<grpc::ClientReader<v1::LeaseEvent>> Open(int timeout_s = 20) {
    {
      // Hands the script to the source, whose Begin takes the lock too: the thread sanitizer does not see gRPC's own.
      MutexLock lock(&script_.mutex);
    }
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(timeout_s));
    return stub_->OpenLease(&context_, {});
  }

  // A call whose messages are numbered from one, then its good end.
  void ReadToTheEnd(uint64_t messages) {
    const auto reader = Open();
    v1::LeaseEvent event;
    for (uint64_t i = 1; i <= messages; ++i) {
      ASSERT_TRUE(reader->Read(&event));
      ASSERT_EQ(event.dropped(), i);
    }
    EXPECT_FALSE(reader->Read(&event));
    EXPECT_TRUE(reader->Finish().ok());
  }

  Script script_;
  std::optional<ScriptedService> service_{&script_};
  ConnectedServer server_{&*service_};
  const std::unique_ptr<v1::Muster::Stub> stub_ = server_.Stub();
  grpc::ClientContext context_;
};

TEST_F(StreamCallTest, MessagesComeInOrderAndThenTheEnd) {
  uint64_t count = 0;
  script_.next = [&](v1::LeaseEvent* event) {
    if (count == 100) return StreamStep::kEnd;
    event->set_dropped(++count);
    return StreamStep::kMessage;
  };
  ReadToTheEnd(100);
  EXPECT_TRUE(Await(script_.destroyed));
}

TEST_F(StreamCallTest, ASourceThatWaitsIsAskedAgainAfterAWake) {
  std::atomic<int> available = 0;
  uint64_t sent = 0;
  script_.next = [&](v1::LeaseEvent* event) {
    if (static_cast<int>(sent) == available) return StreamStep::kWait;
    event->set_dropped(++sent);
    return StreamStep::kMessage;
  };
  const auto reader = Open();
  ASSERT_TRUE(Await(script_.begun));
  v1::LeaseEvent event;
  for (uint64_t i = 1; i <= 200; ++i) {
    ++available;
    script_.Wake();
    ASSERT_TRUE(reader->Read(&event)) << "message " << i << " got lost";
    ASSERT_EQ(event.dropped(), i);
  }
  context_.TryCancel();
  EXPECT_TRUE(Await(script_.destroyed)) << "the script looks at this test's variables";
}

TEST_F(StreamCallTest, WakesFromManyThreadsLoseNothing) {
  std::atomic<uint64_t> available = 0;
  uint64_t sent = 0;
  script_.next = [&](v1::LeaseEvent* event) {
    if (sent == 4000) return StreamStep::kEnd;
    if (sent == available) return StreamStep::kWait;
    event->set_dropped(++sent);
    return StreamStep::kMessage;
  };
  const auto reader = Open();
  ASSERT_TRUE(Await(script_.begun));
  std::vector<std::thread> wakers;
  for (int i = 0; i < 4; ++i) {
    wakers.emplace_back([&] {
      for (int k = 0; k < 1000; ++k) {
        ++available;
        script_.Wake();
      }
    });
  }
  v1::LeaseEvent event;
  uint64_t got = 0;
  while (reader->Read(&event)) ++got;
  for (std::thread& waker : wakers) waker.join();
  EXPECT_EQ(got, 4000u);
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_TRUE(Await(script_.destroyed));
}

TEST_F(StreamCallTest, AReaderThatDoesNotReadHoldsTheSourceAndNotTheMemory) {
  script_.next = [&](v1::LeaseEvent* event) {
    event->mutable_opened()->set_lease_id(std::string(1 << 20, 'x'));
    return StreamStep::kMessage;
  };
  const auto reader = Open();
  ASSERT_TRUE(Await(script_.begun));
  constexpr int kCalls = kUnderTsan ? 20 : 200;  // each takes a tenth of a second there
  // Other calls' worth of time for the stream to run ahead in.
  for (int i = 0; i < kCalls; ++i) {
    grpc::ClientContext context;
    v1::ListPoolsResponse response;
    EXPECT_EQ(stub_->ListPools(&context, {}, &response).error_code(), grpc::StatusCode::UNIMPLEMENTED);
    script_.Wake();
  }
  EXPECT_LT(script_.nexts, 40) << "messages are made faster than they are taken";
  context_.TryCancel();
}

TEST_F(StreamCallTest, TheMessageBeforeIsHandedBackToBeUsedAgain) {
  int count = 0;
  bool same = true;
  script_.next = [&](v1::LeaseEvent* event) {
    if (count > 0) same = same && event->dropped() == static_cast<uint64_t>(count);
    if (count == 10) return StreamStep::kEnd;
    event->set_dropped(++count);
    return StreamStep::kMessage;
  };
  const auto reader = Open();
  v1::LeaseEvent event;
  while (reader->Read(&event)) {
  }
  EXPECT_TRUE(reader->Finish().ok());
  ASSERT_TRUE(Await(script_.destroyed));
  EXPECT_TRUE(same);
}

TEST_F(StreamCallTest, TwoMessagesTakeTurnsWhenTheSourceRunsAhead) {
  script_.runs_ahead = true;
  uint64_t count = 0;
  const v1::LeaseEvent* before[2] = {nullptr, nullptr};
  bool in_turn = true;
  script_.next = [&](v1::LeaseEvent* event) {
    // gRPC may still have the one before.
    if (count > 0) in_turn = in_turn && event != before[0];
    if (count > 1) in_turn = in_turn && event == before[1] && event->dropped() == count - 1;
    before[1] = std::exchange(before[0], event);
    if (count == 100) return StreamStep::kEnd;
    event->set_dropped(++count);
    return StreamStep::kMessage;
  };
  ReadToTheEnd(100);
  ASSERT_TRUE(Await(script_.destroyed));
  EXPECT_TRUE(in_turn);
}

TEST_F(StreamCallTest, ASourceThatRunsAheadMayWaitAndFail) {
  script_.runs_ahead = true;
  std::atomic<int> available = 0;
  uint64_t sent = 0;
  script_.next = [&](v1::LeaseEvent* event) -> absl::StatusOr<StreamStep> {
    if (sent == 200) return absl::DataLossError("torn");
    if (static_cast<int>(sent) == available) return StreamStep::kWait;
    event->set_dropped(++sent);
    return StreamStep::kMessage;
  };
  const auto reader = Open();
  ASSERT_TRUE(Await(script_.begun));
  v1::LeaseEvent event;
  for (uint64_t i = 1; i <= 200; ++i) {
    ++available;
    script_.Wake();
    ASSERT_TRUE(reader->Read(&event)) << "message " << i << " got lost";
    ASSERT_EQ(event.dropped(), i);
  }
  EXPECT_FALSE(reader->Read(&event));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::DATA_LOSS);
  EXPECT_TRUE(Await(script_.destroyed));
}

TEST_F(StreamCallTest, ACancelledCallDestroysASourceThatWaits) {
  script_.next = [](v1::LeaseEvent*) { return StreamStep::kWait; };
  const auto reader = Open();
  ASSERT_TRUE(Await(script_.begun));
  context_.TryCancel();
  EXPECT_TRUE(Await(script_.destroyed));
  // A waker may outlive its stream.
  script_.Wake();
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(StreamCallTest, ACancelledCallReachesABeginThatBlocks) {
  Event blocking;
  script_.begin = [&](const CallContext& context) {
    Event cancelled;
    const std::stop_callback callback(context.cancelled, [&] { cancelled.Set(); });
    blocking.Set();
    return Await(cancelled) ? absl::CancelledError("as told") : absl::InternalError("was not told");
  };
  const auto reader = Open();
  ASSERT_TRUE(Await(blocking));
  context_.TryCancel();
  EXPECT_TRUE(Await(script_.destroyed));
  EXPECT_EQ(script_.nexts, 0);
}

TEST_F(StreamCallTest, AnErrorOfTheBeginningIsTheStatus) {
  script_.begin = [](const CallContext&) { return absl::NotFoundError("no such lease"); };
  const auto reader = Open();
  v1::LeaseEvent event;
  EXPECT_FALSE(reader->Read(&event));
  const grpc::Status status = reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "no such lease");
}

TEST_F(StreamCallTest, AnErrorLaterComesAfterTheMessages) {
  int count = 0;
  script_.next = [&](v1::LeaseEvent* event) -> absl::StatusOr<StreamStep> {
    if (++count > 2) return absl::FailedPreconditionError("taken over");
    event->set_dropped(1);
    return StreamStep::kMessage;
  };
  const auto reader = Open();
  v1::LeaseEvent event;
  EXPECT_TRUE(reader->Read(&event));
  EXPECT_TRUE(reader->Read(&event));
  EXPECT_FALSE(reader->Read(&event));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_TRUE(Await(script_.destroyed));
}

TEST_F(StreamCallTest, TheDeadlineOfTheCallerIsThatOfTheContext) {
  absl::Duration remaining;
  script_.begin = [&](const CallContext& context) {
    remaining = context.deadline.Remaining();
    return absl::OkStatus();
  };
  script_.next = [](v1::LeaseEvent*) { return StreamStep::kEnd; };
  const auto reader = Open(7);
  EXPECT_TRUE(reader->Finish().ok());
  ASSERT_TRUE(Await(script_.destroyed));
  EXPECT_GT(remaining, absl::Seconds(5));
  EXPECT_LE(remaining, absl::Seconds(8));
}

}  // namespace
}  // namespace muster
