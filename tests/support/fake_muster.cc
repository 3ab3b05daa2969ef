#include "tests/support/fake_muster.h"

#include <fcntl.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_posix.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace muster {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(10);

std::string MakeDirectory() {
  char pattern[] = "/tmp/muster_fake.XXXXXX";
  return mkdtemp(pattern);
}

}  // namespace

FakeMuster::FakeMuster() : FakeMuster(UnixAddress{MakeDirectory() + "/s"}) {
  const std::string path = std::get<UnixAddress>(listener_->address()).path;
  directory_ = path.substr(0, path.rfind('/'));
}

FakeMuster::FakeMuster(const Address& address) : FakeMuster(address, nullptr) {}

FakeMuster::FakeMuster(const Address& address, const TlsMaterial& tls) : FakeMuster(address, &tls) {}

FakeMuster::FakeMuster(const Address& address, const TlsMaterial* tls) : listener_(*Listener::Listen(address)) {
  info_.set_version("fake");
  info_.set_protocol_min(1);
  info_.set_protocol_max(1);
  info_.set_workload_root("/sys/fs/cgroup/muster/fake");
  grpc::ServerBuilder builder;
  builder.RegisterService(this);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 100);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  if (tls != nullptr) {
    grpc::SslServerCredentialsOptions options(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    options.pem_root_certs = tls->ca;
    options.pem_key_cert_pairs = {{tls->key, tls->certificate}};
    tls_acceptor_ = builder.experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, grpc::SslServerCredentials(options));
  }
  server_ = builder.BuildAndStart();
  acceptor_ = std::thread([this] { AcceptLoop(); });
}

FakeMuster::~FakeMuster() {
  {
    MutexLock lock(&mutex_);
    ending_ = true;
    changed_.NotifyAll();
  }
  BreakConnections();
  listener_->Stop();
  acceptor_.join();
  server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(5));
  listener_.reset();
  if (!directory_.empty()) rmdir(directory_.c_str());
}

void FakeMuster::AcceptLoop() {
  while (true) {
    absl::StatusOr<AcceptedSocket> accepted = listener_->Accept(absl::InfiniteDuration());
    if (!accepted.ok()) return;
    MutexLock lock(&mutex_);
    if (ending_) return;
    if (refuse_) continue;
    if (ignore_ > 0) {
      --ignore_;
      connections_.push_back(std::move(accepted->fd));
      continue;
    }
    connections_.emplace_back(fcntl(accepted->fd.get(), F_DUPFD_CLOEXEC, 0));
    Adopt(std::move(accepted->fd));
  }
}

void FakeMuster::Adopt(UniqueFd connection) {
  if (tls_acceptor_ == nullptr) return grpc::AddInsecureChannelFromFd(server_.get(), connection.Release());
  grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters parameters;
  parameters.fd = connection.Release();
  tls_acceptor_->HandleNewConnection(&parameters);
}

void FakeMuster::FailNext(const std::string& rpc, grpc::Status status) {
  MutexLock lock(&mutex_);
  failures_[rpc] = std::move(status);
}

void FakeMuster::BreakInsteadOfAnswering(const std::string& rpc) {
  MutexLock lock(&mutex_);
  breaks_[rpc] = true;
}

void FakeMuster::BreakAfterReports(int reports) {
  MutexLock lock(&mutex_);
  break_after_reports_ = reports;
}

void FakeMuster::HoldCollection() {
  MutexLock lock(&mutex_);
  hold_collection_ = true;
}

void FakeMuster::ForgetLeases() {
  MutexLock lock(&mutex_);
  leases_.clear();
  changed_.NotifyAll();
}

void FakeMuster::BreakConnections() {
  MutexLock lock(&mutex_);
  for (const UniqueFd& connection : connections_) shutdown(connection.get(), SHUT_RDWR);
  connections_.clear();
}

void FakeMuster::IgnoreConnections(int count) {
  MutexLock lock(&mutex_);
  ignore_ = count;
}

void FakeMuster::RefuseConnections(bool refuse) {
  MutexLock lock(&mutex_);
  refuse_ = refuse;
}

void FakeMuster::SendEvent(const v1::LeaseEvent& event) {
  MutexLock lock(&mutex_);
  events_.push_back(event);
  changed_.NotifyAll();
}

void FakeMuster::SetWatchUpdates(std::vector<v1::WatchUpdate> updates) {
  MutexLock lock(&mutex_);
  updates_ = std::move(updates);
}

void FakeMuster::SetReports(std::vector<v1::WorkerReport> reports) {
  MutexLock lock(&mutex_);
  reports_ = std::move(reports);
}

void FakeMuster::SetServerInfo(v1::GetServerInfoResponse info) {
  MutexLock lock(&mutex_);
  info_ = std::move(info);
}

void FakeMuster::SetPlaceResponse(v1::PlaceResponse response) {
  MutexLock lock(&mutex_);
  place_response_ = std::move(response);
}

std::vector<std::string> FakeMuster::Calls() {
  MutexLock lock(&mutex_);
  return calls_;
}

int FakeMuster::Count(const std::string& call) {
  MutexLock lock(&mutex_);
  return std::count(calls_.begin(), calls_.end(), call);
}

bool FakeMuster::WaitForCall(const std::string& call, int times) {
  const auto deadline = SteadyDeadline(kPatience);
  MutexLock lock(&mutex_);
  while (std::count(calls_.begin(), calls_.end(), call) < times) {
    if (!changed_.WaitUntil(&mutex_, deadline)) return false;
  }
  return true;
}

v1::SpawnRequest FakeMuster::last_spawn() {
  MutexLock lock(&mutex_);
  return last_spawn_;
}

v1::PlaceRequest FakeMuster::last_place() {
  MutexLock lock(&mutex_);
  return last_place_;
}

v1::CreateCgroupRequest FakeMuster::last_create_cgroup() {
  MutexLock lock(&mutex_);
  return last_create_cgroup_;
}

v1::WatchRequest FakeMuster::last_watch() {
  MutexLock lock(&mutex_);
  return last_watch_;
}

std::vector<std::string> FakeMuster::Pools() {
  MutexLock lock(&mutex_);
  std::vector<std::string> ids;
  for (const auto& [id, pool] : pools_) ids.push_back(id);
  return ids;
}

grpc::Status FakeMuster::Enter(const std::string& rpc, const std::string& note) {
  MutexLock lock(&mutex_);
  calls_.push_back(note.empty() ? rpc : absl::StrCat(rpc, " ", note));
  changed_.NotifyAll();
  const auto failure = failures_.find(rpc);
  if (failure == failures_.end()) return grpc::Status::OK;
  const grpc::Status status = failure->second;
  failures_.erase(failure);
  return status;
}

grpc::Status FakeMuster::Leave(const std::string& rpc) {
  {
    MutexLock lock(&mutex_);
    if (breaks_.erase(rpc) == 0) return grpc::Status::OK;
  }
  BreakConnections();
  return grpc::Status::OK;
}

grpc::Status FakeMuster::GetServerInfo(grpc::ServerContext*, const v1::GetServerInfoRequest*,
                                       v1::GetServerInfoResponse* response) {
  if (grpc::Status status = Enter("GetServerInfo", ""); !status.ok()) return status;
  MutexLock lock(&mutex_);
  *response = info_;
  return grpc::Status::OK;
}

bool FakeMuster::NextEvent(grpc::ServerContext* context, const std::string& lease, size_t sent, v1::LeaseEvent* event) {
  MutexLock lock(&mutex_);
  while (!ending_ && leases_.count(lease) != 0 && !context->IsCancelled()) {
    if (sent < events_.size()) {
      *event = events_[sent];
      return true;
    }
    // The synchronous interface does not wake for a cancellation.
    changed_.WaitUntil(&mutex_, SteadyDeadline(absl::Milliseconds(20)));
  }
  return false;
}

grpc::Status FakeMuster::OpenLease(grpc::ServerContext* context, const v1::OpenLeaseRequest* request,
                                   grpc::ServerWriter<v1::LeaseEvent>* writer) {
  if (grpc::Status status = Enter("OpenLease", request->lease_id()); !status.ok()) return status;
  v1::LeaseEvent first;
  auto* opened = first.mutable_opened();
  size_t sent = 0;
  {
    MutexLock lock(&mutex_);
    opened->set_reattached(!request->lease_id().empty());
    opened->set_lease_id(opened->reattached() ? request->lease_id() : absl::StrCat("l", ++leases_made_));
    if (opened->reattached() && leases_.count(request->lease_id()) == 0) {
      return grpc::Status(grpc::StatusCode::NOT_FOUND, "no such lease");
    }
    leases_[opened->lease_id()] = true;
    sent = events_.size();
  }
  opened->set_lease_secret("secret");
  opened->mutable_ttl()->set_seconds(2);
  opened->mutable_grace()->set_seconds(5);
  writer->Write(first);
  v1::LeaseEvent event;
  while (NextEvent(context, opened->lease_id(), sent, &event)) {
    writer->Write(event);
    ++sent;
  }
  return grpc::Status::OK;
}

grpc::Status FakeMuster::EndLease(grpc::ServerContext*, const v1::EndLeaseRequest* request, v1::EndLeaseResponse*) {
  if (grpc::Status status = Enter("EndLease", request->lease_id()); !status.ok()) return status;
  MutexLock lock(&mutex_);
  leases_.erase(request->lease_id());
  changed_.NotifyAll();
  return grpc::Status::OK;
}

grpc::Status FakeMuster::CreateCgroup(grpc::ServerContext*, const v1::CreateCgroupRequest* request,
                                      v1::CreateCgroupResponse* response) {
  if (grpc::Status status = Enter("CreateCgroup", request->spec().name()); !status.ok()) return status;
  MutexLock lock(&mutex_);
  last_create_cgroup_ = *request;
  response->set_name(request->spec().name());
  response->set_path(absl::StrCat(info_.workload_root(), "/", request->spec().name()));
  return grpc::Status::OK;
}

grpc::Status FakeMuster::RemoveCgroup(grpc::ServerContext*, const v1::RemoveCgroupRequest* request,
                                      v1::RemoveCgroupResponse*) {
  return Enter("RemoveCgroup", request->name());
}

}  // namespace muster
