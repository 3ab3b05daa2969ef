// One unary call on gRPC's callback API, its handler on an executor.
#ifndef MUSTER_DAEMON_SERVICE_UNARY_CALL_H_
#define MUSTER_DAEMON_SERVICE_UNARY_CALL_H_

#include <atomic>
#include <functional>
#include <memory>
#include <stop_token>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "base/executor.h"
#include "daemon/service/call_setup.h"
#include "daemon/service/status.h"
#include "grpcpp/support/server_callback.h"

namespace muster {

template <class Request, class Response>
using UnaryHandler = std::function<absl::Status(const Request&, const CallContext&, Response*)>;

// Lives from Start to OnDone, and as long as a thread of ours is in it. The handler runs once, on a thread of the
// executor, unless the call is cancelled or late before its turn comes.
template <class Request, class Response>
class UnaryCall final : public grpc::ServerUnaryReactor,
                        public std::enable_shared_from_this<UnaryCall<Request, Response>> {
 public:
  // What gRPC hands over; valid until OnDone.
  struct Message {
    const Request* request;
    Response* response;
  };

  static grpc::ServerUnaryReactor* Start(const CallSetup& setup, Message message,
                                         UnaryHandler<Request, Response> handler) {
    std::shared_ptr<UnaryCall> call(new UnaryCall(setup, message, std::move(handler)));
    call->self_ = call;
    if (!setup.executor->Submit([call] { call->Run(); })) call->Answer(TooManyCalls(*setup.executor));
    return call.get();
  }

 private:
  UnaryCall(const CallSetup& setup, Message message, UnaryHandler<Request, Response> handler)
      : context_(MakeContext(setup, stop_.get_token())), message_(message), handler_(std::move(handler)) {}

  void Run() {
    // Not in the call, which may end on a thread of gRPC's.
    std::vector<std::shared_ptr<const void>> until_answered;
    CallContext context = context_;
    context.until_answered = &until_answered;
    absl::Status status = context.Alive();
    if (status.ok()) status = handler_(*message_.request, context, message_.response);
    Answer(status);
  }

  void Answer(const absl::Status& status) {
    answered_.store(true, std::memory_order_release);
    // OnDone may be running before this returns.
    Finish(ToGrpcStatus(status));
  }

  void OnCancel() override {
    const std::shared_ptr<UnaryCall> until_return = this->shared_from_this();
    stop_.request_stop();
  }

  void OnDone() override {
    // Acquire: what the handler did comes before the end of all it used. gRPC sees to that too, by locks that the
    // thread sanitizer cannot see.
    [[maybe_unused]] const bool answered = answered_.load(std::memory_order_acquire);
    const std::shared_ptr<UnaryCall> until_return = std::move(self_);
  }

  std::stop_source stop_;
  const CallContext context_;
  const Message message_;
  const UnaryHandler<Request, Response> handler_;
  std::atomic<bool> answered_ = false;
  std::shared_ptr<UnaryCall> self_;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_SERVICE_UNARY_CALL_H_
