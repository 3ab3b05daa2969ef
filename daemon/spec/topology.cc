#include "daemon/spec/topology.h"

#include <dirent.h>

#include <algorithm>
#include <map>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/file_io.h"
#include "base/status_macros.h"

namespace muster {
namespace {

// Number behind `prefix` in each directory entry "PREFIXnumber", ascending.
std::vector<uint32_t> NumberedEntries(const std::string& directory, absl::string_view prefix) {
  std::vector<uint32_t> numbers;
  DIR* dir = opendir(directory.c_str());
  if (dir == nullptr) return numbers;
  while (const dirent* entry = readdir(dir)) {
    absl::string_view name = entry->d_name;
    uint32_t number;
    if (absl::ConsumePrefix(&name, prefix) && absl::SimpleAtoi(name, &number)) numbers.push_back(number);
  }
  closedir(dir);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

// A list file; nothing when it is not there or makes no sense.
std::optional<CpuSet> ReadList(const std::string& path) {
  const auto text = ReadFile(path);
  if (!text.ok()) return std::nullopt;
  auto set = CpuSet::Parse(*text);
  if (!set.ok()) return std::nullopt;
  return *std::move(set);
}

std::optional<int> ReadNumber(const std::string& path) {
  const auto text = ReadFile(path);
  int number;
  if (!text.ok() || !absl::SimpleAtoi(*text, &number)) return std::nullopt;
  return number;
}

// The CPUs that share CPU `cpu`'s cache of the highest level.
std::optional<CpuSet> LastLevelCache(const std::string& cpu_dir) {
  const std::string caches = absl::StrCat(cpu_dir, "/cache");
  int highest = 0;
  std::optional<CpuSet> shared;
  for (const uint32_t index : NumberedEntries(caches, "index")) {
    const std::string cache = absl::StrCat(caches, "/index", index);
    const std::optional<int> level = ReadNumber(cache + "/level");
    if (!level.has_value() || *level <= highest) continue;
    std::optional<CpuSet> cpus = ReadList(cache + "/shared_cpu_list");
    if (!cpus.has_value()) continue;
    highest = *level;
    shared = std::move(cpus);
  }
  return shared;
}

// The first of the files of `cpu_dir` that can be read.
std::optional<CpuSet> FirstList(const std::string& cpu_dir, std::initializer_list<const char*> files) {
  for (const char* file : files) {
    std::optional<CpuSet> set = ReadList(absl::StrCat(cpu_dir, "/topology/", file));
    if (set.has_value()) return set;
  }
  return std::nullopt;
}

CpuSet Single(uint32_t cpu) {
  CpuSet set;
  set.Add(cpu);
  return set;
}

// Collects groups so that each CPU is in exactly one: the first that claims it.
class Partition {
 public:
  explicit Partition(const CpuSet& all) : left_(all) {}

  bool Has(uint32_t cpu) const { return !left_.Contains(cpu); }

  // Of `group`, what nobody has claimed; always `cpu`.
  void Claim(uint32_t cpu, const CpuSet& group) {
    const CpuSet taken = group.Union(Single(cpu)).Intersect(left_);
    CpuSet rest;
    for (const uint32_t id : left_.Ids()) {
      if (!taken.Contains(id)) rest.Add(id);
    }
    left_ = std::move(rest);
    parts_.push_back(taken);
  }

  std::vector<CpuSet> Take() { return std::move(parts_); }

 private:
  CpuSet left_;
  std::vector<CpuSet> parts_;
};

std::vector<CpuSet> ReadCores(const std::string& root, const CpuSet& online) {
  Partition cores(online);
  for (const uint32_t cpu : online.Ids()) {
    if (cores.Has(cpu)) continue;
    const std::string dir = absl::StrCat(root, "/cpu", cpu);
    cores.Claim(cpu, FirstList(dir, {"core_cpus_list", "thread_siblings_list"}).value_or(Single(cpu)));
  }
  return cores.Take();
}

std::vector<CpuSet> ReadLlcs(const std::string& root, const CpuSet& online) {
  Partition llcs(online);
  CpuSet unknown;
  for (const uint32_t cpu : online.Ids()) {
    if (llcs.Has(cpu)) continue;
    const std::string dir = absl::StrCat(root, "/cpu", cpu);
    std::optional<CpuSet> cache = LastLevelCache(dir);
    if (!cache.has_value()) cache = FirstList(dir, {"package_cpus_list", "core_siblings_list"});
    if (cache.has_value()) {
      llcs.Claim(cpu, *cache);
    } else {
      unknown.Add(cpu);
    }
  }
  if (!unknown.empty()) llcs.Claim(unknown.Ids().front(), unknown);
  std::vector<CpuSet> parts = llcs.Take();
  std::sort(parts.begin(), parts.end(),
            [](const CpuSet& a, const CpuSet& b) { return a.Ids().front() < b.Ids().front(); });
  return parts;
}

std::vector<Topology::Node> ReadNodes(const std::string& sysfs, const CpuSet& online) {
  const std::string root = sysfs + "/devices/system/node";
  const std::optional<CpuSet> online_nodes = ReadList(root + "/online");
  std::vector<Topology::Node> nodes;
  for (const uint32_t id : NumberedEntries(root, "node")) {
    if (online_nodes.has_value() && !online_nodes->Contains(id)) continue;
    const CpuSet cpus = ReadList(absl::StrCat(root, "/node", id, "/cpulist")).value_or(CpuSet());
    nodes.push_back({id, cpus.Intersect(online)});
  }
  if (nodes.empty()) nodes.push_back({0, online});
  return nodes;
}

}  // namespace

absl::StatusOr<Topology> ReadTopology(const std::string& sysfs) {
  const std::string root = sysfs + "/devices/system/cpu";
  Topology topology;
  ASSIGN_OR_RETURN(const std::string text, ReadFile(root + "/online"));
  ASSIGN_OR_RETURN(topology.online, CpuSet::Parse(text));
  if (topology.online.empty()) return absl::InternalError(absl::StrCat(root, "/online names no CPU"));
  topology.cores = ReadCores(root, topology.online);
  topology.llcs = ReadLlcs(root, topology.online);
  topology.nodes = ReadNodes(sysfs, topology.online);
  return topology;
}

}  // namespace muster
