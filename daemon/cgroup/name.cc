#include "daemon/cgroup/name.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/error_detail.h"
#include "base/status_macros.h"

namespace muster {
namespace {

constexpr size_t kMaxInstanceBytes = 64;

// Interface files stand beside child cgroups and begin like this; mkdir of such a name fails or hides what it is.
constexpr absl::string_view kReservedPrefixes[] = {"cgroup.", "cpu.",     "cpuset.", "memory.", "io.",
                                                   "pids.",   "hugetlb.", "rdma.",   "misc.",   "irq."};

absl::Status Refuse(absl::string_view field, absl::string_view why) { return FieldError(field, why); }

absl::Status CheckComponent(absl::string_view component, absl::string_view field) {
  if (component.empty())
    return Refuse(field, "has an empty component; write \"a/b\" with single slashes, none at the end");
  if (component[0] == '.') {
    return Refuse(field,
                  absl::StrCat("component \"", component, "\" begins with a dot; begin it with a letter or digit"));
  }
  if (component.size() > CgroupPath::kMaxComponentBytes) {
    return Refuse(field, absl::StrCat("a component has ", component.size(), " bytes; at most ",
                                      CgroupPath::kMaxComponentBytes, " are allowed"));
  }
  for (absl::string_view prefix : kReservedPrefixes) {
    if (absl::StartsWith(component, prefix)) {
      return Refuse(field, absl::StrCat("component \"", component, "\" begins like an interface file (\"", prefix,
                                        "\"); choose another name"));
    }
  }
  return absl::OkStatus();
}

bool IsInstanceCharacter(char c) { return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.'; }

}  // namespace

CgroupPath::CgroupPath(absl::string_view text) : text_(text), components_(absl::StrSplit(text, '/')) {}

std::string CgroupPath::Prefix(size_t count) const {
  return absl::StrJoin(components_.begin(), components_.begin() + std::min(count, components_.size()), "/");
}

absl::StatusOr<CgroupPath> CgroupPath::Parse(absl::string_view name, absl::string_view field) {
  if (name.empty()) return Refuse(field, "is empty; name a cgroup such as \"cg0\"");
  if (name.size() > kMaxBytes) {
    return Refuse(field, absl::StrCat("has ", name.size(), " bytes; at most ", kMaxBytes, " are allowed"));
  }
  if (name[0] == '/')
    return Refuse(field, "begins with '/'; names are relative to the workload root, write it without");
  if (std::any_of(name.begin(), name.end(), [](char c) { return absl::ascii_iscntrl(c); })) {
    return Refuse(field, "holds a NUL, line break or other control character; use printable characters only");
  }
  CgroupPath path(name);
  if (path.components().size() > kMaxDepth) {
    return Refuse(field,
                  absl::StrCat("has ", path.components().size(), " levels; at most ", kMaxDepth, " are allowed"));
  }
  for (const std::string& component : path.components()) RETURN_IF_ERROR(CheckComponent(component, field));
  return path;
}

absl::StatusOr<CgroupPath> CgroupPath::OfPool(absl::string_view pool_id) {
  if (pool_id.empty() || pool_id.size() > kMaxInstanceBytes ||
      !std::all_of(pool_id.begin(), pool_id.end(), IsInstanceCharacter)) {
    return absl::InvalidArgumentError(absl::StrCat("\"", pool_id, "\" cannot be the id of a pool"));
  }
  return CgroupPath(absl::StrCat(".pool-", pool_id));
}

absl::Status CheckInstanceName(absl::string_view name) {
  if (name.empty() || name.size() > kMaxInstanceBytes || name[0] == '.' ||
      !std::all_of(name.begin(), name.end(), IsInstanceCharacter)) {
    return absl::InvalidArgumentError(absl::StrCat("instance name \"", name, "\": use 1 to ", kMaxInstanceBytes,
                                                   " letters, digits, '-', '_' and '.', not beginning with a dot"));
  }
  for (absl::string_view prefix : kReservedPrefixes) {
    if (absl::StartsWith(name, prefix)) {
      return absl::InvalidArgumentError(absl::StrCat("instance name \"", name, "\" begins like an interface file"));
    }
  }
  return absl::OkStatus();
}

}  // namespace muster
