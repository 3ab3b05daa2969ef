// One server stream on gRPC's callback API, filled by a source that is asked when there is room.
#ifndef MUSTER_DAEMON_SERVICE_STREAM_CALL_H_
#define MUSTER_DAEMON_SERVICE_STREAM_CALL_H_

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/executor.h"
#include "base/mutex.h"
#include "daemon/service/call_setup.h"
#include "daemon/service/status.h"
#include "grpcpp/support/server_callback.h"

namespace muster {

enum class StreamStep { kMessage, kWait, kEnd };

// What a stream says. No two of its functions run at a time; they run on executors' threads. Destroyed when the stream
// is over, however it ended.
template <class Message>
class StreamSource {
 public:
  // Any thread, any time, any number of times; does not block.
  using Waker = std::function<void()>;

  virtual ~StreamSource() = default;

  // First of all, once; may block within the context's deadline. `wake` makes Next be called again.
  virtual absl::Status Begin(const CallContext& context, Waker wake) = 0;

  // kMessage: `message` is the next one; it holds the one before when the call begins, so that its memory is used
  // again. kWait: nothing now; Next is called again after a wake. kEnd: the stream ends well. Must not block: readers
  // that are slow wait here and nowhere else, the next call comes when gRPC has taken the message.
  virtual absl::StatusOr<StreamStep> Next(Message* message) = 0;

  // True: Next is called for one message more while gRPC still has the one before, each with every other message's
  // memory. For messages that do not age.
  virtual bool RunsAhead() const { return false; }
};

// Lives until OnDone, and as long as a thread of ours is in it. What one thread leaves to the next is handed over under
// mutex_ and by references that are counted, so that the order does not rest on gRPC's own locks, which the thread
// sanitizer cannot see.
template <class Message>
class StreamCall final : public grpc::ServerWriteReactor<Message>,
                         public std::enable_shared_from_this<StreamCall<Message>> {
 public:
  // Begin runs on setup.executor, Next on `pump`, which must have room for every stream there is.
  static grpc::ServerWriteReactor<Message>* Start(const CallSetup& setup, Executor* pump,
                                                  std::unique_ptr<StreamSource<Message>> source) {
    std::shared_ptr<StreamCall> call(new StreamCall(setup, pump, std::move(source)));
    call->self_ = call;
    if (!setup.executor->Submit([call] { call->Begin(); })) call->End(TooManyCalls(*setup.executor));
    return call.get();
  }

 private:
  // Who acts next. Only the side that is named may finish the call.
  enum class Turn {
    kSource,  // a thread of an executor, or one that is on its way
    kGrpc,    // a message is being written
    kNobody,  // the source waits for a wake
    kOver,
  };

  StreamCall(const CallSetup& setup, Executor* pump, std::unique_ptr<StreamSource<Message>> source)
      : context_(MakeContext(setup, stop_.get_token())), pump_(pump), source_(std::move(source)) {}

  void Begin() {
    absl::Status status = context_.Alive();
    if (status.ok()) {
      status = source_->Begin(context_, [weak = this->weak_from_this()] {
        if (const std::shared_ptr<StreamCall> call = weak.lock()) call->Wake();
      });
    }
    if (!status.ok()) return End(status);
    Pump();
  }

  // The source's turn.
  void Pump() {
    while (true) {
      if (stop_.stop_requested()) return End(absl::CancelledError("the caller has gone"));
      const absl::StatusOr<StreamStep> step = ahead_.has_value() ? *std::exchange(ahead_, std::nullopt) : Next();
      if (!step.ok()) return End(step.status());
      if (*step == StreamStep::kEnd) return End(absl::OkStatus());
      if (*step == StreamStep::kMessage) return Write();
      MutexLock lock(&mutex_);
      if (!std::exchange(woken_, false)) {
        turn_ = Turn::kNobody;
        return;
      }
    }
  }

  absl::StatusOr<StreamStep> Next() { return source_->Next(&messages_[next_]); }

  void Write() {
    const Message* const message = &messages_[next_];
    {
      MutexLock lock(&mutex_);
      turn_ = Turn::kGrpc;
      woken_ = false;
      write_sides_left_ = 2;
    }
    // OnWriteDone may be running before this returns.
    this->StartWrite(message);
    if (source_->RunsAhead()) {
      next_ = 1 - next_;
      ahead_ = Next();
      // Asked again in its turn.
      if (ahead_->ok() && **ahead_ == StreamStep::kWait) ahead_.reset();
    }
    EndWriteSide(true);
  }

  void OnWriteDone(bool ok) override { EndWriteSide(ok); }

  // A write is over when gRPC has taken the message and Write has nothing more to do; whichever is last goes on, behind
  // the streams that wait for the pump.
  void EndWriteSide(bool ok) {
    {
      MutexLock lock(&mutex_);
      write_failed_ |= !ok;
      if (--write_sides_left_ > 0) return;
      turn_ = Turn::kSource;
      ok = !write_failed_;
    }
    if (!ok) return End(absl::CancelledError("the caller has gone"));
    SubmitPump();
  }

  // Begins the source's turn when it was nobody's.
  void Wake() {
    {
      MutexLock lock(&mutex_);
      woken_ = true;
      if (turn_ != Turn::kNobody) return;
      woken_ = false;
      turn_ = Turn::kSource;
    }
    SubmitPump();
  }

  void SubmitPump() {
    if (!pump_->Submit([call = this->shared_from_this()] { call->Pump(); })) End(TooManyCalls(*pump_));
  }

  void OnCancel() override {
    const std::shared_ptr<StreamCall> until_return = this->shared_from_this();
    stop_.request_stop();
    Wake();
  }

  void End(const absl::Status& status) {
    {
      MutexLock lock(&mutex_);
      turn_ = Turn::kOver;
    }
    // OnDone may be running before this returns.
    this->Finish(ToGrpcStatus(status));
  }

  void OnDone() override {
    std::shared_ptr<StreamCall> until_return;
    {
      MutexLock lock(&mutex_);
      until_return = std::move(self_);
    }
    source_.reset();
  }

  std::stop_source stop_;
  const CallContext context_;
  Executor* const pump_;
  std::unique_ptr<StreamSource<Message>> source_;
  // What follows belongs to whose turn it is, and to Write.
  Message messages_[2];
  // Of messages_, the one that Next fills.
  int next_ = 0;
  // What Next has said ahead of its turn.
  std::optional<absl::StatusOr<StreamStep>> ahead_;
  Mutex mutex_;
  Turn turn_ ABSL_GUARDED_BY(mutex_) = Turn::kSource;
  // A wake came while it was somebody's turn.
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  int write_sides_left_ ABSL_GUARDED_BY(mutex_) = 0;
  bool write_failed_ ABSL_GUARDED_BY(mutex_) = false;
  std::shared_ptr<StreamCall> self_;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_SERVICE_STREAM_CALL_H_
