#include "tools/vm/kernel/modules.h"

#include <fcntl.h>

#include <algorithm>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "base/file_io.h"
#include "base/status_macros.h"
#include "tools/vm/support/program.h"

namespace muster::vm {
namespace {

constexpr size_t kMaxModuleBytes = 64 << 20;

// Depth-first; `path` is the chain of those that wait for this one.
absl::Status Visit(const std::string& name, const DependencyMap& dependencies, std::vector<std::string>* path,
                   std::vector<std::string>* order) {
  if (dependencies.count(name) == 0 || std::count(order->begin(), order->end(), name) != 0) return absl::OkStatus();
  if (std::count(path->begin(), path->end(), name) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("order kernel modules: a circle: ", absl::StrJoin(*path, " needs "), " needs ", name));
  }
  path->push_back(name);
  for (const std::string& needed : dependencies.at(name)) RETURN_IF_ERROR(Visit(needed, dependencies, path, order));
  path->pop_back();
  order->push_back(name);
  return absl::OkStatus();
}

std::map<std::string, std::string> FindModuleFiles(const std::string& directory) {
  std::map<std::string, std::string> files;
  std::error_code error;
  using Walk = std::filesystem::recursive_directory_iterator;
  for (Walk at(directory, error); !error && at != Walk(); at.increment(error)) {
    const std::string file = at->path().filename();
    if (absl::StrContains(file, ".ko")) files[ModuleName(file)] = at->path();
  }
  return files;
}

// What the folder itself says it holds, as "kernel/net/x.ko" by name: depmod's list, which has no more than it found,
// else that of the kernel's build, as in a package that was only unpacked.
std::map<std::string, std::string> ListedModules(const std::string& directory) {
  absl::StatusOr<std::string> list = ReadFileAt(AT_FDCWD, directory + "/modules.dep", kMaxModuleBytes);
  if (!list.ok()) list = ReadFileAt(AT_FDCWD, directory + "/modules.order", kMaxModuleBytes);
  std::map<std::string, std::string> listed;
  for (const absl::string_view line : absl::StrSplit(list.ok() ? *list : "", '\n', absl::SkipEmpty())) {
    const std::string path(line.substr(0, line.find(':')));
    listed[ModuleName(std::filesystem::path(path).filename().string())] = path;
  }
  return listed;
}

absl::StatusOr<std::string> ReadModule(const std::string& path) {
  ASSIGN_OR_RETURN(std::string content, ReadFileAt(AT_FDCWD, path, kMaxModuleBytes));
  std::string program;
  if (absl::EndsWith(path, ".xz")) program = "xz";
  if (absl::EndsWith(path, ".zst")) program = "zstd";
  if (absl::EndsWith(path, ".gz")) program = "gzip";
  if (program.empty()) return content;
  return RunProgram({{program, "-dc"}, content, absl::Seconds(30)});
}

// Reads `wanted` and, step by step, what they turn out to depend on.
absl::StatusOr<std::map<std::string, std::string>> ReadWithDependencies(const std::string& directory,
                                                                        std::vector<std::string> wanted) {
  const std::map<std::string, std::string> files = FindModuleFiles(directory);
  const std::map<std::string, std::string> listed = ListedModules(directory);
  std::map<std::string, std::string> contents;
  while (!wanted.empty()) {
    const std::string name = wanted.back();
    wanted.pop_back();
    const auto file = files.find(name);
    if (file == files.end() && listed.count(name) != 0)
      return absl::NotFoundError(absl::StrCat("read ", directory, "/", listed.at(name), ": listed there and missing"));
    if (file == files.end() || contents.count(name) != 0) continue;
    ASSIGN_OR_RETURN(contents[name], ReadModule(file->second));
    for (std::string& needed : ModuleDependencies(contents[name])) wanted.push_back(std::move(needed));
  }
  return contents;
}

}  // namespace

std::string ModuleName(absl::string_view file_name) {
  std::string name(file_name.substr(0, file_name.find(".ko")));
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

std::vector<std::string> ModuleDependencies(absl::string_view ko) {
  // .modinfo is a row of NUL-terminated "key=value" strings; a key starts after a NUL.
  constexpr absl::string_view kKey("\0depends=", 9);
  const size_t at = ko.find(kKey);
  if (at == absl::string_view::npos) return {};
  absl::string_view list = ko.substr(at + kKey.size(), 4096);
  list = list.substr(0, list.find('\0'));
  std::vector<std::string> names;
  for (absl::string_view name : absl::StrSplit(list, ',', absl::SkipEmpty())) names.push_back(ModuleName(name));
  return names;
}

absl::StatusOr<std::vector<std::string>> OrderModules(const std::vector<std::string>& wanted,
                                                      const DependencyMap& dependencies) {
  std::vector<std::string> order;
  std::vector<std::string> path;
  for (const std::string& name : wanted) RETURN_IF_ERROR(Visit(name, dependencies, &path, &order));
  return order;
}

absl::StatusOr<std::vector<KernelModule>> LoadModules(const std::string& directory,
                                                      const std::vector<std::string>& wanted) {
  ASSIGN_OR_RETURN(auto contents, ReadWithDependencies(directory, wanted));
  DependencyMap dependencies;
  for (const auto& [name, content] : contents) dependencies[name] = ModuleDependencies(content);
  ASSIGN_OR_RETURN(const std::vector<std::string> order, OrderModules(wanted, dependencies));
  std::vector<KernelModule> modules;
  for (const std::string& name : order) modules.push_back({name, std::move(contents[name])});
  return modules;
}

}  // namespace muster::vm
