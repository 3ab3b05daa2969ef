#include "tools/cli/info_command.h"

#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "client/operator.h"
#include "tools/cli/proto_json.h"
#include "tools/cli/target.h"

namespace muster {
namespace {

std::string Count(size_t count, absl::string_view noun) {
  return absl::StrCat(count, " ", noun, count == 1 ? "" : "s");
}

void AppendTopology(std::string* text, const v1::Topology& topology) {
  absl::StrAppendFormat(text, "CPUs           %s (%s, %s, %s)\n", topology.cpus_online(),
                        Count(topology.cores_size(), "core"), Count(topology.llcs_size(), "last-level cache"),
                        Count(topology.nodes_size(), "NUMA node"));
}

std::string ParameterDefault(const v1::ParameterInfo& parameter) {
  if (parameter.default_value().empty()) return "empty by default";
  return absl::StrCat("default ", parameter.default_value(), " ", parameter.unit());
}

std::string ParameterRange(const v1::ParameterInfo& parameter) {
  if (!parameter.has_min() && !parameter.has_max()) return "";
  return absl::StrCat(", ", parameter.has_min() ? absl::StrCat(parameter.min()) : "", " to ",
                      parameter.has_max() ? absl::StrCat(parameter.max()) : "");
}

std::string Streams(const v1::WorkTypeInfo& type) {
  std::vector<std::string> names;
  for (const int stream : type.streams()) {
    names.push_back(stream == v1::WAKE ? "wake" : stream == v1::ITERATION_COST ? "cost" : "timer");
  }
  return absl::StrJoin(names, ", ");
}

void AppendType(std::string* text, const v1::WorkTypeInfo& type) {
  const std::string group = type.group_size_rule().empty()
                                ? absl::StrCat(type.group_size())
                                : absl::StrCat(type.group_size_rule(), " (default ", type.group_size(), ")");
  absl::StrAppendFormat(text, "%s  { %s {} }  %s\n", type.name(), type.field(), type.summary());
  if (type.group_size() > 1) absl::StrAppendFormat(text, "    groups of %s\n", group);
  for (const v1::ParameterInfo& parameter : type.parameters()) {
    absl::StrAppendFormat(text, "    %s: %s, %s%s. %s\n", parameter.name(), parameter.type(),
                          ParameterDefault(parameter), ParameterRange(parameter), parameter.description());
  }
  if (type.streams_size() > 0) absl::StrAppendFormat(text, "    samples: %s\n", Streams(type));
  for (const v1::NeedInfo& need : type.needs()) {
    const std::string state = need.met() ? "there" : absl::StrCat("missing here; ", need.otherwise());
    absl::StrAppendFormat(text, "    needs %s: %s\n", need.need(), state);
  }
}

using Format = std::string (*)(const v1::GetServerInfoResponse&);
using JsonFormat = absl::StatusOr<std::string> (*)(const v1::GetServerInfoResponse&);

// What the daemon says of itself, as `format` or `format_json` makes it.
absl::StatusOr<std::string> Ask(const Target& target, Format format, JsonFormat format_json) {
  ASSIGN_OR_RETURN(const Operator connection, Operator::Connect(target.address, {}, target.connection));
  ASSIGN_OR_RETURN(const v1::GetServerInfoResponse info, connection.ServerInfo());
  if (format_json == nullptr) return format(info);
  ASSIGN_OR_RETURN(const std::string json, format_json(info));
  return absl::StrCat(json, "\n");
}

// Asks the daemon that the flags name, or a private one, and prints the answer.
int Show(const Flags& flags, Format format, JsonFormat format_json) {
  const absl::StatusOr<Target> target = TargetOf(flags);
  if (!target.ok()) return Fail(target.status(), kExitUsage);
  absl::StatusOr<Daemon> daemon = Daemon::Open(*target, flags);
  if (!daemon.ok()) return Fail(daemon.status(), DaemonExitCode(daemon.status()));
  const absl::StatusOr<std::string> text = Ask(daemon->target(), format, flags.Has("json") ? format_json : nullptr);
  if (!text.ok()) return daemon->Close(Fail(text.status()));
  std::cout << *text << std::flush;
  return daemon->Close(kExitGood);
}

absl::StatusOr<std::string> InfoJson(const v1::GetServerInfoResponse& info) { return ToJson(info); }

absl::StatusOr<std::string> TypesJson(const v1::GetServerInfoResponse& info) {
  v1::Catalogue catalogue;
  *catalogue.mutable_work_types() = info.work_types();
  return ToJson(catalogue);
}

std::vector<FlagSpec> ShowFlags() {
  std::vector<FlagSpec> flags = TargetOrPrivateFlags();
  flags.push_back({"json", "", "print it as JSON"});
  return flags;
}

}  // namespace

std::string FormatInfo(const v1::GetServerInfoResponse& info) {
  std::string text = absl::StrFormat("musterd        %s, protocol %d to %d, instance %s, %s\nkernel         %s\n",
                                     info.version(), info.protocol_min(), info.protocol_max(), info.instance(),
                                     info.control_policy(), info.kernel_release());
  AppendTopology(&text, info.topology());
  absl::StrAppendFormat(&text, "workload root  %s\n", info.workload_root());
  for (const v1::CgroupController& controller : info.cgroup_controllers()) {
    absl::StrAppendFormat(&text, "controller     %s: %s\n", controller.name(),
                          controller.available() ? "available" : controller.reason());
  }
  absl::StrAppendFormat(&text, "features       %s\n", absl::StrJoin(info.features(), ", "));
  for (const v1::Limit& limit : info.limits()) {
    absl::StrAppendFormat(&text, "limit          %s = %d %s\n", limit.name(), limit.value(), limit.unit());
  }
  absl::StrAppendFormat(&text, "work types     %d; see `muster types`\n", info.work_types_size());
  return text;
}

std::string FormatTypes(const v1::GetServerInfoResponse& info) {
  std::string text;
  for (const v1::WorkTypeInfo& type : info.work_types()) AppendType(&text, type);
  return text;
}

Command InfoCommand() {
  return {"info", {}, "show what a daemon and its machine are and can do", ShowFlags(), [](const Flags& flags) {
            return Show(flags, FormatInfo, InfoJson);
          }};
}

Command TypesCommand() {
  return {"types", {}, "list the work types with their parameters", ShowFlags(), [](const Flags& flags) {
            return Show(flags, FormatTypes, TypesJson);
          }};
}

}  // namespace muster
