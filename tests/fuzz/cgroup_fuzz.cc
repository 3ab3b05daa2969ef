// No name of a cgroup leads out of the workload root; the kernel's files are read without a crash.
#include <algorithm>

#include "base/cgroup_mounts.h"
#include "daemon/cgroup/name.h"
#include "tests/fuzz/fuzz.h"

namespace muster::fuzz {

std::vector<std::string> Seeds() {
  return {"cg0",
          "a/b/c",
          ".pool-p1",
          "../escape",
          "a/../b",
          "/absolute",
          "a//b",
          "a/",
          "0::/user.slice/a\n",
          "12:cpu,cpuacct:/x\n0::/\n",
          "0::/with (deleted)\n",
          "36 35 98:0 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n",
          "36 35 0:1 / /a\\040b rw - cgroup cgroup rw,cpu,memory\n"};
}

}  // namespace muster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using muster::fuzz::Require;
  const absl::string_view text = muster::fuzz::TextOf(data, size);
  const auto path = muster::CgroupPath::Parse(text, "name");
  if (path.ok()) {
    Require(path->text().size() <= muster::CgroupPath::kMaxBytes, "a path is bounded");
    Require(!path->components().empty() && path->components().size() <= muster::CgroupPath::kMaxDepth,
            "so is its depth");
    for (const std::string& part : path->components()) {
      Require(!part.empty() && part[0] != '.' && part.find('/') == std::string::npos,
              "a component is one, and no way up");
      Require(part.size() <= muster::CgroupPath::kMaxComponentBytes, "a component is bounded");
    }
  }
  const absl::string_view own = muster::CgroupPathIn(text);
  Require(own.empty() || (own.data() >= text.data() && own.data() + own.size() <= text.data() + text.size()),
          "the path is part of the text");
  (void)muster::ParseCgroupFile(text);
  (void)muster::FindCgroup2Mount(text);
  (void)muster::FindCgroup1Controllers(text);
  (void)muster::CheckInstanceName(text);
  return 0;
}
