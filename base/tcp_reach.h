// How far tcp goes.
#ifndef MUSTER_BASE_TCP_REACH_H_
#define MUSTER_BASE_TCP_REACH_H_

namespace muster {

enum class TcpReach {
  // Processes of this machine.
  kLoopback,
  // Whoever comes. Only for those who make sure who it is: TLS with client certificates.
  kAnywhere,
};

}  // namespace muster

#endif  // MUSTER_BASE_TCP_REACH_H_
