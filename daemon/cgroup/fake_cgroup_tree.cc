#include "daemon/cgroup/fake_cgroup_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/errno_status.h"
#include "base/file_io.h"
#include "base/status_macros.h"

namespace muster {
namespace {

using Files = std::map<std::string, std::string>;

Files FilesOf(const std::string& controller, const std::string& cpus) {
  if (controller == "cpu") return {{"cpu.weight", "100"}, {"cpu.max", "max 100000"}};
  if (controller == "memory") return {{"memory.max", "max"}, {"memory.high", "max"}};
  if (controller == "io") return {{"io.weight", "default 100"}};
  if (controller == "pids") return {{"pids.max", "max"}};
  return {{"cpuset.cpus", ""}, {"cpuset.cpus.effective", cpus}, {"cpuset.mems", ""}, {"cpuset.mems.effective", "0"}};
}

void Replace(int dir, const std::string& name, absl::string_view text) {
  const UniqueFd fd = OpenAt(dir, name, O_CREAT | O_WRONLY | O_TRUNC, 0600).value();
  EXPECT_TRUE(WriteAll(fd.get(), text).ok());
}

std::vector<std::string> WordsOf(int dir, const std::string& file) {
  return absl::StrSplit(ReadFileAt(dir, file).value_or(""), absl::ByAnyChar(" \n"), absl::SkipEmpty());
}

void AddFiles(int dir, const std::vector<std::string>& controllers, const std::string& cpus) {
  Replace(dir, "cgroup.controllers", absl::StrJoin(controllers, " "));
  for (const std::string& controller : controllers) {
    for (const auto& [file, value] : FilesOf(controller, cpus)) {
      if (faccessat(dir, file.c_str(), F_OK, 0) != 0) Replace(dir, file, value);
    }
  }
}

void Populate(int dir, const std::vector<std::string>& controllers, const std::string& cpus) {
  for (const auto& [file, value] : Files{{"cgroup.procs", ""},
                                         {"cgroup.threads", ""},
                                         {"cgroup.events", "populated 0\nfrozen 0\n"},
                                         {"cgroup.type", "domain\n"},
                                         {"cgroup.subtree_control", ""},
                                         {"cgroup.freeze", "0"},
                                         {"cgroup.kill", ""}}) {
    Replace(dir, file, value);
  }
  AddFiles(dir, controllers, cpus);
}

std::vector<std::string> Entries(int dir, bool directories) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(absl::StrCat("/proc/self/fd/", dir))) {
    if (entry.is_directory() == directories) names.push_back(entry.path().filename());
  }
  return names;
}

UniqueFd OpenDirectory(int dir, const std::string& name) { return OpenAt(dir, name, O_RDONLY | O_DIRECTORY).value(); }

}  // namespace

FakeCgroupTree::FakeCgroupTree(std::vector<std::string> controllers, CpuSet granted)
    : controllers_(std::move(controllers)), granted_(std::move(granted)), path_(testing::TempDir() + "/cgroup.XXXXXX") {
  EXPECT_NE(mkdtemp(path_.data()), nullptr);
  const UniqueFd root = OpenDirectory(AT_FDCWD, path_);
  Populate(root.get(), controllers_, granted_.ToString());
  unlinkat(root.get(), "cgroup.type", 0);
}

FakeCgroupTree::~FakeCgroupTree() { std::filesystem::remove_all(path_); }

std::string FakeCgroupTree::Read(const std::string& file) const {
  const absl::StatusOr<std::string> text = muster::ReadFile(absl::StrCat(path_, "/", file));
  return text.ok() ? std::string(absl::StripAsciiWhitespace(*text)) : "<missing>";
}

bool FakeCgroupTree::Exists(const std::string& name) const {
  return access(absl::StrCat(path_, "/", name).c_str(), F_OK) == 0;
}

void FakeCgroupTree::Overwrite(const std::string& file, const std::string& text) const {
  Replace(AT_FDCWD, absl::StrCat(path_, "/", file), text);
}

void FakeCgroupTree::FailWrites(std::string file, absl::Status error) {
  failing_file_ = std::move(file);
  failure_ = std::move(error);
}

absl::Status FakeCgroupTree::MakeDirectory(int dir, const std::string& name) const {
  RETURN_IF_ERROR(CgroupFs::MakeDirectory(dir, name));
  Populate(OpenDirectory(dir, name).get(), WordsOf(dir, "cgroup.subtree_control"), granted_.ToString());
  return absl::OkStatus();
}

absl::Status FakeCgroupTree::RemoveDirectory(int dir, const std::string& name) const {
  const UniqueFd child = OpenDirectory(dir, name);
  if (!Entries(child.get(), true).empty()) return ErrnoStatus(EBUSY, absl::StrCat("rmdir ", name));
  for (const std::string& file : Entries(child.get(), false)) unlinkat(child.get(), file.c_str(), 0);
  return CgroupFs::RemoveDirectory(dir, name);
}

absl::Status FakeCgroupTree::ChangeSubtreeControl(int dir, absl::string_view text) const {
  const std::vector<std::string> offered = WordsOf(dir, "cgroup.controllers");
  std::vector<std::string> enabled = WordsOf(dir, "cgroup.subtree_control");
  for (absl::string_view word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    const std::string name(word.substr(1));
    if (std::find(offered.begin(), offered.end(), name) == offered.end())
      return ErrnoStatus(ENOENT, "write subtree_control");
    enabled.erase(std::remove(enabled.begin(), enabled.end(), name), enabled.end());
    if (word[0] == '+') enabled.push_back(name);
  }
  Replace(dir, "cgroup.subtree_control", absl::StrJoin(enabled, " "));
  for (const std::string& child : Entries(dir, true)) {
    AddFiles(OpenDirectory(dir, child).get(), enabled, granted_.ToString());
  }
  return absl::OkStatus();
}

absl::Status FakeCgroupTree::WriteFile(int dir, const std::string& name, absl::string_view text) const {
  if (name == failing_file_) return failure_;
  if (name == "cgroup.subtree_control") return ChangeSubtreeControl(dir, text);
  if (faccessat(dir, name.c_str(), F_OK, 0) != 0) return ErrnoStatus(ENOENT, absl::StrCat("open ", name));
  Replace(dir, name, text);
  if (name == "cpuset.cpus" || name == "cpuset.mems") {
    ASSIGN_OR_RETURN(const CpuSet asked, CpuSet::Parse(text));
    Replace(dir, absl::StrCat(name, ".effective"),
            name == "cpuset.cpus" ? asked.Intersect(granted_).ToString() : asked.ToString());
  }
  return absl::OkStatus();
}

}  // namespace muster
