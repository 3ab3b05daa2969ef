#include "daemon/spec/fake_sysfs.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace muster {
namespace {

std::string TempRoot() {
  const char* base = getenv("TEST_TMPDIR");
  std::string name = absl::StrCat(base != nullptr ? base : "/tmp", "/sysfs.XXXXXX");
  return mkdtemp(name.data()) != nullptr ? name : "";
}

std::string CpuDir(uint32_t cpu) { return absl::StrCat("devices/system/cpu/cpu", cpu); }

}  // namespace

FakeSysfs::FakeSysfs() : root_(TempRoot()) {}

FakeSysfs::~FakeSysfs() {
  std::error_code ignored;
  if (!root_.empty()) std::filesystem::remove_all(root_, ignored);
}

void FakeSysfs::Write(const std::string& path, const std::string& text) {
  const std::filesystem::path file = std::filesystem::path(root_) / path;
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file) << text << "\n";
}

void FakeSysfs::Online(const std::string& cpus) { Write("devices/system/cpu/online", cpus); }

void FakeSysfs::Core(uint32_t cpu, const std::string& siblings) {
  Write(CpuDir(cpu) + "/topology/thread_siblings_list", siblings);
}

void FakeSysfs::Package(uint32_t cpu, const std::string& cpus) {
  Write(CpuDir(cpu) + "/topology/core_siblings_list", cpus);
}

void FakeSysfs::Cache(uint32_t cpu, uint32_t index, int level, const std::string& cpus) {
  const std::string cache = absl::StrCat(CpuDir(cpu), "/cache/index", index);
  Write(cache + "/level", absl::StrCat(level));
  Write(cache + "/shared_cpu_list", cpus);
}

void FakeSysfs::Node(uint32_t node, const std::string& cpus) {
  Write(absl::StrCat("devices/system/node/node", node, "/cpulist"), cpus);
}

void FakeSysfs::OnlineNodes(const std::string& nodes) { Write("devices/system/node/online", nodes); }

}  // namespace muster
