// A client inside the guest: one small workload over the address that it is given. Exit code 0: all went well; or, with
// a text as second argument, there was nobody, and the client's error says so in this text.
#include <iostream>

#include "absl/strings/match.h"
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

// OK when connecting fails in these words.
absl::Status ExpectNobody(const std::string& address, const std::string& words) {
  const absl::Status status = Client::Connect(address, {.connect_timeout = absl::Seconds(3)}).status();
  if (status.ok()) return absl::InternalError("somebody is there");
  return absl::StrContains(status.message(), words) ? absl::OkStatus() : status;
}

}  // namespace
}  // namespace muster

int main(int argc, char** argv) {
  if (argc != 2 && argc != 3) return 64;
  const absl::Status status = argc == 2 ? muster::RunOnce(argv[1]) : muster::ExpectNobody(argv[1], argv[2]);
  if (!status.ok()) std::cerr << "loopback client: " << status << "\n";
  return status.ok() ? 0 : 1;
}
