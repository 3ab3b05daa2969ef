#include "daemon/server_info.h"

#include <sys/utsname.h>

#include "base/version.h"

namespace muster {
namespace {

constexpr uint32_t kProtocol = 1;

void AddFeatures(const ServerFacts& facts, v1::GetServerInfoResponse* info) {
  const DaemonConfig& config = *facts.config;
  info->add_features("birth_in_cgroup");
  info->add_features("threaded_placement");
  info->add_features("detached_pools");
  if (config.allow_exec) info->add_features("exec");
  if (config.allow_block_devices) info->add_features("block_devices");
  if (facts.huge_arenas) info->add_features("huge_arenas");
  if (config.has_tls()) info->add_features("tls");
  if (config.rpc.enable_channelz) info->add_features("channelz");
}

void Describe(const Topology& topology, v1::Topology* proto) {
  proto->set_cpus_online(topology.online.ToString());
  for (const CpuSet& core : topology.cores) proto->add_cores(core.ToString());
  for (const CpuSet& llc : topology.llcs) proto->add_llcs(llc.ToString());
  for (const Topology::Node& node : topology.nodes) {
    v1::NumaNode* entry = proto->add_nodes();
    entry->set_node(node.id);
    entry->set_cpus(node.cpus.ToString());
  }
}

}  // namespace

v1::GetServerInfoResponse MakeServerInfo(const ServerFacts& facts) {
  v1::GetServerInfoResponse info;
  info.set_version(kVersion);
  info.set_protocol_min(kProtocol);
  info.set_protocol_max(kProtocol);
  AddFeatures(facts, &info);
  utsname kernel;
  if (uname(&kernel) == 0) info.set_kernel_release(kernel.release);
  Describe(*facts.topology, info.mutable_topology());
  for (const ControllerStatus& controller : *facts.controllers) {
    v1::CgroupController* entry = info.add_cgroup_controllers();
    entry->set_name(controller.name);
    entry->set_available(controller.available);
    entry->set_reason(controller.reason);
  }
  for (const NamedLimit& limit : AllLimits(*facts.config)) {
    v1::Limit* entry = info.add_limits();
    entry->set_name(limit.name);
    entry->set_value(limit.value);
    entry->set_unit(limit.unit);
  }
  *info.mutable_work_types() = facts.catalogue->work_types();
  info.set_instance(facts.instance);
  info.set_workload_root(facts.workload_root);
  info.set_control_policy(facts.control_policy);
  return info;
}

}  // namespace muster
