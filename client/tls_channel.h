// Channels over tcp with mutual TLS.
#ifndef MUSTER_CLIENT_TLS_CHANNEL_H_
#define MUSTER_CLIENT_TLS_CHANNEL_H_

#include <grpcpp/channel.h>
#include <grpcpp/support/channel_arguments.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "base/address.h"
#include "base/deadline.h"
#include "base/tls_files.h"

namespace muster {

// The daemon's certificate must name the host of the address among its alternative names (a DNS name, or an IP address
// as such), and be signed by the authority in `files`.
struct TlsOptions {
  // Read anew for each connection.
  TlsFiles files;
  // Another name to look for in the daemon's certificate; empty: the host of the address.
  std::string server_name;
};

// A channel whose handshake has been done. Names are looked up. UNAVAILABLE, DEADLINE_EXCEEDED or, for a certificate
// that is not good enough for either side, UNAUTHENTICATED; the message says whether the lookup, the connection or TLS
// failed.
absl::StatusOr<std::shared_ptr<grpc::Channel>> DialTls(const TcpAddress& address, const TlsOptions& tls,
                                                       grpc::ChannelArguments arguments, const Deadline& deadline);

}  // namespace muster

#endif  // MUSTER_CLIENT_TLS_CHANNEL_H_
