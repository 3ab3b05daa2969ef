// What GetServerInfo says of this daemon and its machine.
#ifndef MUSTER_DAEMON_SERVER_INFO_H_
#define MUSTER_DAEMON_SERVER_INFO_H_

#include <string>
#include <vector>

#include "daemon/cgroup/controllers.h"
#include "daemon/config.h"
#include "daemon/spec/topology.h"
#include "muster/v1/muster.pb.h"

namespace muster {

struct ServerFacts {
  const DaemonConfig* config = nullptr;
  const Topology* topology = nullptr;
  const std::vector<ControllerStatus>* controllers = nullptr;
  const v1::Catalogue* catalogue = nullptr;
  std::string instance;
  std::string workload_root;
  // As of DescribePolicy.
  std::string control_policy;
  bool huge_arenas = false;
};

// Everything but the clocks.
v1::GetServerInfoResponse MakeServerInfo(const ServerFacts& facts);

}  // namespace muster

#endif  // MUSTER_DAEMON_SERVER_INFO_H_
