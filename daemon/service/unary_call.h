// One unary call on gRPC's callback API, its handler on an executor.
#ifndef MUSTER_DAEMON_SERVICE_UNARY_CALL_H_
#define MUSTER_DAEMON_SERVICE_UNARY_CALL_H_

#include <functional>
#include <stop_token>
#include <utility>

#include "absl/status/status.h"
#include "base/executor.h"
#include "daemon/service/call_setup.h"
#include "daemon/service/status.h"
#include "grpcpp/support/server_callback.h"

namespace muster {

template <class Request, class Response>
using UnaryHandler = std::function<absl::Status(const Request&, const CallContext&, Response*)>;

// Owns itself from Start to OnDone. The handler runs once, on a thread of the executor, unless the call is cancelled or
// late before its turn comes.
template <class Request, class Response>
class UnaryCall final : public grpc::ServerUnaryReactor {
 public:
  // What gRPC hands over; valid until OnDone.
  struct Message {
    const Request* request;
    Response* response;
  };

  static grpc::ServerUnaryReactor* Start(const CallSetup& setup, Message message,
                                         UnaryHandler<Request, Response> handler) {
    auto* call = new UnaryCall(setup, message, std::move(handler));
    if (!setup.executor->Submit([call] { call->Run(); })) call->Finish(ToGrpcStatus(TooManyCalls(*setup.executor)));
    return call;
  }

 private:
  UnaryCall(const CallSetup& setup, Message message, UnaryHandler<Request, Response> handler)
      : context_(MakeContext(setup, stop_.get_token())), message_(message), handler_(std::move(handler)) {}

  void Run() {
    absl::Status status = context_.Alive();
    if (status.ok()) status = handler_(*message_.request, context_, message_.response);
    // `this` may be gone as soon as this is called.
    Finish(ToGrpcStatus(status));
  }

  void OnCancel() override { stop_.request_stop(); }
  void OnDone() override { delete this; }

  std::stop_source stop_;
  const CallContext context_;
  const Message message_;
  const UnaryHandler<Request, Response> handler_;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_SERVICE_UNARY_CALL_H_
