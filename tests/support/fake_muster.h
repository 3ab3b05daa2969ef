// A daemon without workers, for tests of clients: the real service interface over a real unix socket, scripted answers.
#ifndef MUSTER_TESTS_SUPPORT_FAKE_MUSTER_H_
#define MUSTER_TESTS_SUPPORT_FAKE_MUSTER_H_

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "base/listener.h"
#include "base/mutex.h"
#include "base/tls_files.h"
#include "muster/v1/muster.grpc.pb.h"

namespace muster {

// Serves while it lives; the destructor breaks all connections, and removes its socket and its directory. Spawned pools
// are called "p1", "p2", ..., leases "l1", "l2", .... Thread-safe.
class FakeMuster : private v1::Muster::Service {
 public:
  FakeMuster();
  // On an address of the caller's choice; without a directory of its own.
  explicit FakeMuster(const Address& address);
  // The same with TLS, for clients whose certificate the authority in `tls` has signed.
  FakeMuster(const Address& address, const TlsMaterial& tls);
  ~FakeMuster() override;

  // To connect to.
  std::string address() const { return FormatAddress(listener_->address()); }

  // The next call of `rpc` ("Spawn") fails so.
  void FailNext(const std::string& rpc, grpc::Status status);
  // The next call of `rpc` is carried out, and its connection broken in place of the answer.
  void BreakInsteadOfAnswering(const std::string& rpc);
  // The next StopAndCollect breaks its connection after so many reports.
  void BreakAfterReports(int reports);
  // StopAndCollect stops the pool, and then waits with the reports until the pool is dropped.
  void HoldCollection();
  // Streams of leases end, and reattaching is NOT_FOUND, as when the grace time has run out.
  void ForgetLeases();
  // Every connection is shut down; new ones are accepted.
  void BreakConnections();
  // New connections are taken and hung up on at once until told otherwise.
  void RefuseConnections(bool refuse);
  // So many new connections are taken and never answered.
  void IgnoreConnections(int count);
  // Sends an event on every open lease stream.
  void SendEvent(const v1::LeaseEvent& event);
  // What the next Watch sends, one after the other; the stream ends after a final one, and stays open otherwise.
  void SetWatchUpdates(std::vector<v1::WatchUpdate> updates);
  // What StopAndCollect sends for any pool, in place of plain completed reports.
  void SetReports(std::vector<v1::WorkerReport> reports);
  // What the daemon says of itself.
  void SetServerInfo(v1::GetServerInfoResponse info);
  // What Place answers.
  void SetPlaceResponse(v1::PlaceResponse response);

  // Calls so far, as "Spawn", "Drop p1", "StopAndCollect p1 from 3".
  std::vector<std::string> Calls();
  // How often a text stands among the calls.
  int Count(const std::string& call);
  // Waits until `call` stands among the calls `times` times; false after ten seconds.
  bool WaitForCall(const std::string& call, int times = 1);
  // The last request of the kind.
  v1::SpawnRequest last_spawn();
  v1::PlaceRequest last_place();
  v1::CreateCgroupRequest last_create_cgroup();
  v1::WatchRequest last_watch();
  // Pools that exist now.
  std::vector<std::string> Pools();

 private:
  grpc::Status GetServerInfo(grpc::ServerContext*, const v1::GetServerInfoRequest*,
                             v1::GetServerInfoResponse* response) override;
  grpc::Status OpenLease(grpc::ServerContext* context, const v1::OpenLeaseRequest* request,
                         grpc::ServerWriter<v1::LeaseEvent>* writer) override;
  grpc::Status EndLease(grpc::ServerContext*, const v1::EndLeaseRequest* request, v1::EndLeaseResponse*) override;
  grpc::Status CreateCgroup(grpc::ServerContext*, const v1::CreateCgroupRequest* request,
                            v1::CreateCgroupResponse* response) override;
  grpc::Status RemoveCgroup(grpc::ServerContext*, const v1::RemoveCgroupRequest* request,
                            v1::RemoveCgroupResponse*) override;
  grpc::Status Spawn(grpc::ServerContext*, const v1::SpawnRequest* request, v1::SpawnResponse* response) override;
  grpc::Status Place(grpc::ServerContext*, const v1::PlaceRequest* request, v1::PlaceResponse* response) override;
  grpc::Status Start(grpc::ServerContext*, const v1::StartRequest* request, v1::StartResponse* response) override;
  grpc::Status Snapshot(grpc::ServerContext*, const v1::SnapshotRequest* request,
                        v1::SnapshotResponse* response) override;
  grpc::Status Watch(grpc::ServerContext* context, const v1::WatchRequest* request,
                     grpc::ServerWriter<v1::WatchUpdate>* writer) override;
  grpc::Status StopAndCollect(grpc::ServerContext* context, const v1::StopAndCollectRequest* request,
                              grpc::ServerWriter<v1::StopAndCollectResponse>* writer) override;
  grpc::Status ConfirmReports(grpc::ServerContext*, const v1::ConfirmReportsRequest* request,
                              v1::ConfirmReportsResponse*) override;
  grpc::Status Drop(grpc::ServerContext*, const v1::DropRequest* request, v1::DropResponse* response) override;
  grpc::Status ListPools(grpc::ServerContext*, const v1::ListPoolsRequest* request,
                         v1::ListPoolsResponse* response) override;

  // Notes the call; returns the failure or break that was asked for.
  grpc::Status Enter(const std::string& rpc, const std::string& note);
  // Does the break that was asked for, after the call's work.
  grpc::Status Leave(const std::string& rpc);
  // Waits on the stream of a lease for something to send; false when the stream must end.
  bool NextEvent(grpc::ServerContext* context, const std::string& lease, size_t sent, v1::LeaseEvent* event);
  // Plain reports of `workers` workers unless SetReports gave others.
  std::vector<v1::WorkerReport> ReportsOf(int workers);
  FakeMuster(const Address& address, const TlsMaterial* tls);
  void AcceptLoop();
  void Adopt(UniqueFd connection);

  std::string directory_;
  std::optional<Listener> listener_;
  // Null: no TLS.
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> tls_acceptor_;
  std::unique_ptr<grpc::Server> server_;
  std::thread acceptor_;

  Mutex mutex_;
  CondVar changed_;
  std::vector<UniqueFd> connections_ ABSL_GUARDED_BY(mutex_);
  bool refuse_ ABSL_GUARDED_BY(mutex_) = false;
  int ignore_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::string> calls_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, grpc::Status> failures_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, bool> breaks_ ABSL_GUARDED_BY(mutex_);
  bool hold_collection_ ABSL_GUARDED_BY(mutex_) = false;
  int break_after_reports_ ABSL_GUARDED_BY(mutex_) = -1;
  std::map<std::string, bool> leases_ ABSL_GUARDED_BY(mutex_);
  int leases_made_ ABSL_GUARDED_BY(mutex_) = 0;
  int pools_made_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<v1::LeaseEvent> events_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, v1::SpawnResponse> pools_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::string> pool_of_request_ ABSL_GUARDED_BY(mutex_);
  std::vector<v1::WatchUpdate> updates_ ABSL_GUARDED_BY(mutex_);
  std::optional<std::vector<v1::WorkerReport>> reports_ ABSL_GUARDED_BY(mutex_);
  v1::GetServerInfoResponse info_ ABSL_GUARDED_BY(mutex_);
  v1::PlaceResponse place_response_ ABSL_GUARDED_BY(mutex_);
  v1::SpawnRequest last_spawn_ ABSL_GUARDED_BY(mutex_);
  v1::PlaceRequest last_place_ ABSL_GUARDED_BY(mutex_);
  v1::CreateCgroupRequest last_create_cgroup_ ABSL_GUARDED_BY(mutex_);
  v1::WatchRequest last_watch_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace muster

#endif  // MUSTER_TESTS_SUPPORT_FAKE_MUSTER_H_
