// How a call is run, whatever its shape.
#ifndef MUSTER_DAEMON_SERVICE_CALL_SETUP_H_
#define MUSTER_DAEMON_SERVICE_CALL_SETUP_H_

#include <stop_token>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/executor.h"
#include "daemon/listen/peer_table.h"
#include "daemon/service/call_context.h"
#include "grpcpp/server_context.h"

namespace muster {

struct CallSetup {
  grpc::CallbackServerContext* context = nullptr;
  // Where the handler runs.
  Executor* executor = nullptr;
  const PeerTable* peers = nullptr;
  // Longest time that such a call may take, whatever deadline its caller has set.
  absl::Duration limit = absl::InfiniteDuration();
};

CallContext MakeContext(const CallSetup& setup, std::stop_token cancelled);

// What a call gets for which the executor has no room.
absl::Status TooManyCalls(const Executor& executor);

}  // namespace muster

#endif  // MUSTER_DAEMON_SERVICE_CALL_SETUP_H_
