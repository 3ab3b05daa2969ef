// Four workers in a cgroup of their own, for a second, and what they lived through.
//
//   minimal unix:///run/muster.sock
#include <chrono>
#include <iostream>
#include <thread>
#include <utility>

#include "base/status_macros.h"
#include "client/cgroup_group.h"
#include "client/client.h"

namespace {

absl::Status Run(const char* address) {
  ASSIGN_OR_RETURN(muster::Client client, muster::Client::Connect(address));

  // Declared before the handle, so that the workers end before their cgroup goes.
  muster::CgroupGroup cgroups(client);
  RETURN_IF_ERROR(cgroups.AddCgroupNoCpuset("cg0"));

  muster::v1::WorkloadSpec spec;
  spec.set_num_workers(4);
  spec.mutable_work()->mutable_mixed();

  // 1. The workers exist, and are blocked.
  ASSIGN_OR_RETURN(muster::WorkloadHandle handle, client.Spawn(spec));
  // 2. Into their cgroup, before they have done anything.
  RETURN_IF_ERROR(handle.Place("cg0"));
  // 3. All at once.
  RETURN_IF_ERROR(handle.Start());
  std::this_thread::sleep_for(std::chrono::seconds(1));
  // 4. One report per worker, always.
  ASSIGN_OR_RETURN(const muster::CollectedReports collected, std::move(handle).StopAndCollect());

  for (const muster::v1::WorkerReport& report : collected.reports) {
    std::cout << "worker " << report.worker_index() << " in " << report.cgroup_at_start() << ": " << report.iterations()
              << " iterations, worst gap " << report.max_gap_ms() << " ms\n";
  }
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  const absl::Status status = Run(argc > 1 ? argv[1] : "unix:///run/muster.sock");
  if (!status.ok()) std::cerr << status << "\n";
  return status.ok() ? 0 : 1;
}
