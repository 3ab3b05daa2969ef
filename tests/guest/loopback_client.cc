// A client inside the guest: one small workload over the address that it is given. Exit code 0: all went well.
#include <iostream>

#include "client/client.h"

namespace muster {
namespace {

absl::Status RunOnce(const std::string& address) {
  absl::StatusOr<Client> client = Client::Connect(address);
  if (!client.ok()) return client.status();
  v1::WorkloadSpec spec;
  spec.set_num_workers(2);
  absl::StatusOr<WorkloadHandle> pool = client->Spawn(spec);
  if (!pool.ok()) return pool.status();
  const absl::Status started = pool->Start();
  if (!started.ok()) return started;
  const absl::StatusOr<CollectedReports> collected = std::move(*pool).StopAndCollect();
  if (!collected.ok()) return collected.status();
  return collected->reports.size() == 2 ? absl::OkStatus() : absl::InternalError("not two reports");
}

}  // namespace
}  // namespace muster

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  const absl::Status status = muster::RunOnce(argv[1]);
  if (!status.ok()) std::cerr << "loopback client: " << status << "\n";
  return status.ok() ? 0 : 1;
}
