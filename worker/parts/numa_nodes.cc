#include "worker/parts/numa_nodes.h"

#include "absl/strings/str_cat.h"
#include "base/file_io.h"

namespace muster {

std::vector<CpuSet> CpusOfNodes(const std::string& root) {
  std::vector<CpuSet> nodes;
  const absl::StatusOr<std::string> online = ReadFile(absl::StrCat(root, "/online"));
  if (!online.ok()) return nodes;
  const absl::StatusOr<CpuSet> ids = CpuSet::Parse(*online);
  if (!ids.ok()) return nodes;
  for (const uint32_t id : ids->Ids()) {
    const absl::StatusOr<std::string> list = ReadFile(absl::StrCat(root, "/node", id, "/cpulist"));
    if (!list.ok()) continue;
    absl::StatusOr<CpuSet> cpus = CpuSet::Parse(*list);
    if (cpus.ok() && !cpus->empty()) nodes.push_back(*std::move(cpus));
  }
  return nodes;
}

}  // namespace muster
