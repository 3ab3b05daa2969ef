#include "daemon/daemon.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/error_detail.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "daemon/control_priority.h"
#include "daemon/server_info.h"
#include "daemon/worker_binary.h"

namespace muster {
namespace {

// Among the addresses to listen on: the sockets of the service manager, with ":NAME" those of that name.
constexpr absl::string_view kInherited = "inherited";

constexpr absl::Duration kEnterTimeout = absl::Seconds(10);
constexpr absl::Duration kCatalogueTimeout = absl::Seconds(20);
// For calls to find out that the daemon stops; their pools are gone by then. Peers that nobody polls for, as idle
// clients of gRPC's own, take all of it.
constexpr absl::Duration kLastCalls = absl::Milliseconds(500);
// Longest wait for a call that still makes something in the name of a lease that ends.
constexpr absl::Duration kLastUses = absl::Seconds(60);

// For "fd:N" and for addresses.
absl::StatusOr<Listener> OpenListener(const std::string& text, TcpReach reach) {
  absl::string_view number = text;
  if (absl::ConsumePrefix(&number, "fd:")) {
    int fd = -1;
    if (!absl::SimpleAtoi(number, &fd) || fd < 3) {
      return FieldError("listen", absl::StrCat(text, " names no descriptor; write fd:3 or above"));
    }
    return Listener::Adopt(UniqueFd(fd), reach);
  }
  ASSIGN_OR_RETURN(const Address address, ParseAddress(text));
  return Listener::Listen(address, reach);
}

TcpReach TcpReachOf(const DaemonConfig& config) { return config.has_tls() ? TcpReach::kAnywhere : TcpReach::kLoopback; }

SettingLimits LimitsOf(const Topology& topology) {
  SettingLimits limits;
  limits.online_cpus = topology.online;
  for (const Topology::Node& node : topology.nodes) limits.memory_nodes.Add(node.id);
  return limits;
}

}  // namespace

class Daemon::StrayEvents final : public StrayListener {
 public:
  explicit StrayEvents(PoolTable* pools) : pools_(pools) {}
  void OnStrayReaped(pid_t pid, const ProcessEnd& end) override { pools_->RecordStray(pid, end); }

 private:
  PoolTable* const pools_;
};

Daemon::Daemon(const DaemonConfig& config, std::string worker_binary)
    : config_(config),
      worker_binary_(std::move(worker_binary)),
      leases_(config.leases, std::chrono::steady_clock::now),
      pool_events_(&leases_, &watches_),
      cgroup_owners_(config.max_cgroups),
      requests_(config.requests, std::chrono::steady_clock::now) {}

absl::StatusOr<std::unique_ptr<Daemon>> Daemon::Start(const DaemonConfig& config,
                                                      std::vector<InheritedSocket> inherited) {
  ASSIGN_OR_RETURN(std::string worker, FindWorkerBinary(WorkerBinaryPlaces::OfThisProcess(config.worker_binary)));
  std::unique_ptr<Daemon> daemon(new Daemon(config, std::move(worker)));
  daemon->inherited_ = std::move(inherited);
  RETURN_IF_ERROR(daemon->EnterInstance());
  RETURN_IF_ERROR(daemon->StartHelpers());
  daemon->FindHugePages();
  RETURN_IF_ERROR(daemon->MakeTables());
  RETURN_IF_ERROR(daemon->Serve());
  return daemon;
}

Daemon::~Daemon() {
  const absl::Status status = Shutdown(Deadline::After(config_.shutdown_timeout));
  if (!status.ok()) LogWarning(status.message());
}

absl::Status Daemon::EnterInstance() {
  ASSIGN_OR_RETURN(const CgroupView view, CgroupView::OfThisProcess());
  ASSIGN_OR_RETURN(instance_,
                   Instance::Create({config_.instance, config_.cgroup_root}, view, Deadline::After(kEnterTimeout)));
  ASSIGN_OR_RETURN(topology_, ReadTopology("/sys"));
  ASSIGN_OR_RETURN(CgroupManagerOptions options, instance_->ManagerOptions(LimitsOf(topology_)));
  ASSIGN_OR_RETURN(workload_, options.workload.Duplicate());
  cgroups_.emplace(std::move(options));
  pool_cgroups_.emplace(&*cgroups_, &*workload_);
  return absl::OkStatus();
}

absl::Status Daemon::StartHelpers() {
  // The janitor first: from now on nothing that is made below can outlive us. It and the catalogue are children of
  // their own owners, so both come before the reaper, which kills those that it does not know.
  ASSIGN_OR_RETURN(Janitor janitor,
                   Janitor::Spawn({worker_binary_, instance_->name(), &instance_->base(), &instance_->locked()}));
  janitor_.emplace(std::move(janitor));
  ASSIGN_OR_RETURN(catalogue_, Catalogue::Read(worker_binary_, Deadline::After(kCatalogueTimeout)));
  ASSIGN_OR_RETURN(reaper_, StrayReaper::Start());
  reaper_->Adopt(janitor_->pid());
  launcher_.emplace(worker_binary_, reaper_.get(), WorkerIo{config_.io_dir, config_.allow_block_devices});
  ASSIGN_OR_RETURN(timers_, TimerQueue::Start());
  return absl::OkStatus();
}

absl::Status Daemon::ReplaceJanitor() {
  JanitorOptions options = {worker_binary_, instance_->name(), &instance_->base(), &instance_->locked()};
  options.spawn = [this](const SpawnOptions& spawn) { return reaper_->Spawn(spawn); };
  ASSIGN_OR_RETURN(Janitor janitor, Janitor::Spawn(options));
  janitor_.reset();
  janitor_.emplace(std::move(janitor));
  return absl::OkStatus();
}

void Daemon::FindHugePages() {
  if (!config_.huge_arenas) return;
  absl::StatusOr<arena::HugeFiles> files = arena::HugeFiles::Mount();
  if (files.ok()) {
    huge_files_.emplace(*std::move(files));
  } else {
    LogInfo(absl::StrCat("huge_arenas: ", files.status().message(), "; all arenas are in small pages"));
  }
}

absl::Status Daemon::MakeTables() {
  PoolEnvironment environment = {.limits = config_.limits,
                                 .topology = topology_,
                                 .catalogue = &*catalogue_,
                                 .cgroups = &*pool_cgroups_,
                                 .launcher = &*launcher_,
                                 .listener = &pool_events_,
                                 .allow_exec = config_.allow_exec,
                                 .huge_files = huge_files_.has_value() ? &*huge_files_ : nullptr,
                                 .max_cgroups = config_.max_cgroups,
                                 .control_priority = static_cast<uint32_t>(config_.control_priority),
                                 .spawners = static_cast<uint32_t>(config_.spawners)};
  ASSIGN_OR_RETURN(pools_, PoolTable::Start(std::move(environment)));
  stray_events_ = std::make_unique<StrayEvents>(pools_.get());
  reaper_->SetListener(stray_events_.get());
  property_.emplace(LeaseProperty::Parts{pools_.get(), &*cgroups_, &cgroup_owners_, &leases_});
  keeper_.emplace(
      &leases_, timers_.get(), [this](const std::string& id) { return property_->TearDown(id); }, kLastUses);
  info_ = MakeServerInfo({.config = &config_,
                          .topology = &topology_,
                          .controllers = &instance_->controllers(),
                          .catalogue = &catalogue_->proto(),
                          .instance = instance_->name(),
                          .workload_root = instance_->workload_path(),
                          .control_policy = DescribePolicy(),
                          .huge_arenas = huge_files_.has_value()});
  return absl::OkStatus();
}

absl::Status Daemon::Serve() {
  parts_ = {.pools = pools_.get(),
            .cgroups = &*cgroups_,
            .cgroup_owners = &cgroup_owners_,
            .leases = &leases_,
            .keeper = &*keeper_,
            .property = &*property_,
            .detached = &detached_,
            .requests = &requests_,
            .watches = &watches_,
            .timers = timers_.get(),
            .info = &info_,
            .lease_ttl = config_.rpc.keepalive_time + config_.rpc.keepalive_timeout,
            .max_spec_bytes = config_.limits.max_spec_bytes};
  service_.emplace(config_.service, &parts_, &peers_);
  RpcServerOptions rpc = config_.rpc;
  if (config_.has_tls()) {
    ASSIGN_OR_RETURN(rpc.tls, ReadTlsFiles(config_.tls));
  }
  ASSIGN_OR_RETURN(server_, RpcServer::Start(rpc, &*service_));
  for (const std::string& text : config_.listen) RETURN_IF_ERROR(Listen(text));
  // Nobody would ever answer on the others.
  inherited_.clear();
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Listener>> Daemon::OpenListeners(const std::string& text) {
  absl::string_view name = text;
  if (absl::ConsumePrefix(&name, kInherited) && (name.empty() || absl::ConsumePrefix(&name, ":"))) {
    return AdoptInherited(name);
  }
  ASSIGN_OR_RETURN(Listener listener, OpenListener(text, TcpReachOf(config_)));
  std::vector<Listener> listeners;
  listeners.push_back(std::move(listener));
  return listeners;
}

absl::StatusOr<std::vector<Listener>> Daemon::AdoptInherited(absl::string_view name) {
  std::vector<Listener> listeners;
  for (InheritedSocket& socket : inherited_) {
    if (!socket.fd.valid() || (!name.empty() && socket.name != name)) continue;
    absl::StatusOr<Listener> listener = Listener::Adopt(std::move(socket.fd), TcpReachOf(config_));
    if (!listener.ok()) return Annotate(listener.status(), absl::StrCat("inherited socket \"", socket.name, "\""));
    listeners.push_back(*std::move(listener));
  }
  if (!listeners.empty()) return listeners;
  const std::string which = name.empty() ? "" : absl::StrCat(" of the name \"", name, "\"");
  return FieldError("listen", absl::StrCat(kInherited, ": the service manager has handed down no socket", which,
                                           "; start musterd through its socket unit"));
}

absl::Status Daemon::Listen(const std::string& text) {
  ASSIGN_OR_RETURN(std::vector<Listener> listeners, OpenListeners(text));
  for (Listener& listener : listeners) {
    ASSIGN_OR_RETURN(std::unique_ptr<Acceptor> acceptor,
                     Acceptor::Start(std::move(listener), Admission{geteuid(), config_.vsock_local},
                                     [this](AcceptedSocket socket) { Admit(std::move(socket)); }));
    acceptors_.push_back(std::move(acceptor));
  }
  return absl::OkStatus();
}

void Daemon::Admit(AcceptedSocket socket) {
  // gRPC names such a peer itself, by its address.
  if (config_.has_tls() && std::holds_alternative<TcpPeer>(socket.peer)) return server_->AdoptTls(std::move(socket.fd));
  peers_.Set(socket.fd.get(), socket.peer);
  server_->Adopt(std::move(socket.fd));
}

std::vector<std::string> Daemon::Addresses() const {
  std::vector<std::string> addresses;
  for (const auto& acceptor : acceptors_) addresses.push_back(FormatAddress(acceptor->address()));
  return addresses;
}

absl::Status Daemon::Shutdown(Deadline deadline) {
  if (std::exchange(shut_down_, true)) return absl::OkStatus();
  if (server_ != nullptr) server_->StopServing();
  acceptors_.clear();
  // All pools at the same time, and no new ones; what the leases own besides goes one by one.
  if (pools_ != nullptr) pools_->Close(deadline);
  if (keeper_.has_value()) {
    for (const std::string& lease : leases_.Ids()) (void)keeper_->End(lease, std::nullopt);
  }
  if (server_ != nullptr) server_->Shutdown(Earlier(deadline, Deadline::After(kLastCalls)));
  // Nobody calls the tables any more after that. The threads of handlers end before the server that they answered
  // through goes.
  service_.reset();
  server_.reset();
  keeper_.reset();
  if (reaper_ != nullptr) reaper_->SetListener(nullptr);
  pools_.reset();
  return instance_ == nullptr ? absl::OkStatus() : instance_->Remove(deadline);
}

}  // namespace muster
