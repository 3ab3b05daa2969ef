#include "base/pids_group_testing.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/cgroup_mounts.h"
#include "base/cgroup_testing.h"
#include "base/file_io.h"

namespace muster {
namespace {

// Empty: there is none.
std::string Controller() {
  const auto controllers = FindCgroup1Controllers(ReadFile("/proc/self/mountinfo").value_or(""));
  const auto pids = controllers.find("pids");
  return pids == controllers.end() ? "" : pids->second;
}

void Write(const std::string& path, const std::string& text) {
  const absl::Status status = WriteFileAt(AT_FDCWD, path, text);
  EXPECT_TRUE(status.ok()) << status;
}

}  // namespace

bool PidsGroupForTesting::IsPossible() { return !Controller().empty(); }

PidsGroupForTesting::PidsGroupForTesting()
    : parent_(Controller()), path_(absl::StrCat(parent_, "/", UniqueCgroupName())) {
  EXPECT_EQ(mkdir(path_.c_str(), 0755), 0) << path_;
}

PidsGroupForTesting::~PidsGroupForTesting() { EXPECT_EQ(rmdir(path_.c_str()), 0) << path_; }

void PidsGroupForTesting::PutIn(pid_t pid) const { Write(path_ + "/cgroup.procs", absl::StrCat(pid)); }

void PidsGroupForTesting::TakeOut(pid_t pid) const { Write(parent_ + "/cgroup.procs", absl::StrCat(pid)); }

int PidsGroupForTesting::Used() const {
  int used = 0;
  EXPECT_TRUE(absl::SimpleAtoi(ReadFile(path_ + "/pids.current").value_or(""), &used)) << path_;
  return used;
}

void PidsGroupForTesting::SetMax(const std::string& max) const { Write(path_ + "/pids.max", max); }

}  // namespace muster
