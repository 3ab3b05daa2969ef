#include "base/cgroup_mounts.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace muster {
namespace {

struct Mount {
  // Which directory of the file system is mounted.
  std::string root;
  std::string point;
  std::string type;
  std::string super_options;
};

// Undoes the octal escapes of blanks in mount points; proc(5).
std::string Unescape(absl::string_view text) {
  const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) && is_octal(text[i + 2]) &&
        is_octal(text[i + 3])) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

// Lines of another shape are left out.
std::vector<Mount> ParseMounts(absl::string_view mountinfo) {
  std::vector<Mount> mounts;
  for (absl::string_view line : absl::StrSplit(mountinfo, '\n')) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ');
    // A varying number of optional fields ends with a lone "-".
    const auto dash = std::find(fields.begin(), fields.end(), "-");
    if (dash - fields.begin() < 6 || fields.end() - dash < 4) continue;
    mounts.push_back({Unescape(fields[3]), Unescape(fields[4]), std::string(dash[1]), std::string(dash[3])});
  }
  return mounts;
}

}  // namespace

absl::StatusOr<std::string> FindCgroup2Mount(absl::string_view mountinfo) {
  std::string part;
  for (const Mount& mount : ParseMounts(mountinfo)) {
    if (mount.type != "cgroup2") continue;
    if (mount.root == "/") return mount.point;
    if (part.empty()) part = mount.point;
  }
  if (!part.empty()) return part;
  return absl::NotFoundError("cgroup version 2 is not mounted; try: mount -t cgroup2 none /sys/fs/cgroup");
}

std::map<std::string, std::string> FindCgroup1Controllers(absl::string_view mountinfo) {
  std::map<std::string, std::string> controllers;
  for (const Mount& mount : ParseMounts(mountinfo)) {
    if (mount.type != "cgroup") continue;
    // Among the options stand "rw" and "name=systemd" too: they are no controllers that anybody asks for.
    for (absl::string_view option : absl::StrSplit(mount.super_options, ',')) {
      if (!absl::StrContains(option, "=")) controllers.emplace(option, mount.point);
    }
  }
  return controllers;
}

absl::string_view CgroupPathIn(absl::string_view text) {
  constexpr absl::string_view kStart = "0::/";
  const char* line = text.data();
  const char* const end = text.data() + text.size();
  while (line < end) {
    const void* const found = memchr(line, '\n', end - line);
    const char* const line_end = found == nullptr ? end : static_cast<const char*>(found);
    const absl::string_view whole(line, line_end - line);
    if (absl::StartsWith(whole, kStart))
      return absl::string_view(line + kStart.size() - 1, whole.size() - kStart.size() + 1);
    line = line_end + 1;
  }
  return {};
}

absl::StatusOr<std::string> ParseCgroupFile(absl::string_view text) {
  const absl::string_view path = CgroupPathIn(text);
  if (!path.empty()) return std::string(path);
  return absl::NotFoundError("the process is in no cgroup of version 2 (no line \"0::\")");
}

}  // namespace muster
