// Who is behind each connection that was handed to gRPC.
#ifndef MUSTER_DAEMON_LISTEN_PEER_TABLE_H_
#define MUSTER_DAEMON_LISTEN_PEER_TABLE_H_

#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "base/listener.h"
#include "base/mutex.h"

namespace muster {

// gRPC names the peer of such a connection "fd:N". A number is used again after its connection has closed; the entry is
// replaced before the new one carries a call, so the table is never larger than the descriptor table. Thread-safe.
class PeerTable {
 public:
  void Set(int fd, const PeerIdentity& peer) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    names_["fd:" + std::to_string(fd)] = FormatPeer(peer);
  }

  // For logs, as "pid 17 uid 0 gid 0"; what gRPC said when the connection is not ours.
  std::string Name(const std::string& grpc_peer) const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    const auto it = names_.find(grpc_peer);
    return it == names_.end() ? grpc_peer : it->second;
  }

 private:
  mutable Mutex mutex_;
  std::map<std::string, std::string> names_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace muster

#endif  // MUSTER_DAEMON_LISTEN_PEER_TABLE_H_
