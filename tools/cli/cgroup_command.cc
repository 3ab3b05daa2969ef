#include "tools/cli/cgroup_command.h"

#include <iostream>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "client/cgroup_manager.h"
#include "client/client.h"
#include "client/operator.h"
#include "client/proto_time.h"
#include "tools/cli/target.h"

namespace muster {
namespace {

constexpr int64_t kAny = std::numeric_limits<int64_t>::max();

absl::StatusOr<absl::Duration> DurationFlag(const Flags& flags, absl::string_view name) {
  absl::Duration duration;
  if (absl::ParseDuration(flags.Get(name), &duration)) return duration;
  return absl::InvalidArgumentError(absl::StrCat("--", name, " ", flags.Get(name), ": write it as 50ms"));
}

absl::Status ReadCpuMax(const Flags& flags, v1::CgroupSettings* settings) {
  if (flags.Has("cpu-quota")) {
    ASSIGN_OR_RETURN(const absl::Duration quota, DurationFlag(flags, "cpu-quota"));
    *settings->mutable_cpu_max_quota() = ToProto(quota);
  }
  if (flags.Has("cpu-period")) {
    ASSIGN_OR_RETURN(const absl::Duration period, DurationFlag(flags, "cpu-period"));
    *settings->mutable_cpu_max_period() = ToProto(period);
  }
  return absl::OkStatus();
}

absl::Status ReadNumbers(const Flags& flags, v1::CgroupSettings* settings) {
  ASSIGN_OR_RETURN(const int64_t cpu_weight, flags.GetInt("cpu-weight", 0, {1, 10000}));
  if (flags.Has("cpu-weight")) settings->set_cpu_weight(cpu_weight);
  ASSIGN_OR_RETURN(const int64_t io_weight, flags.GetInt("io-weight", 0, {1, 10000}));
  if (flags.Has("io-weight")) settings->set_io_weight(io_weight);
  ASSIGN_OR_RETURN(const int64_t memory_max, flags.GetInt("memory-max", 0, {0, kAny}));
  if (flags.Has("memory-max")) settings->set_memory_max_bytes(memory_max);
  ASSIGN_OR_RETURN(const int64_t memory_high, flags.GetInt("memory-high", 0, {0, kAny}));
  if (flags.Has("memory-high")) settings->set_memory_high_bytes(memory_high);
  ASSIGN_OR_RETURN(const int64_t pids_max, flags.GetInt("pids-max", 0, {0, kAny}));
  if (flags.Has("pids-max")) settings->set_pids_max(pids_max);
  return absl::OkStatus();
}

absl::Status ReadKind(const Flags& flags, v1::CgroupSpec* spec) {
  if (!flags.Has("kind")) return absl::OkStatus();
  v1::CgroupKind kind = v1::CGROUP_KIND_UNSPECIFIED;
  const std::string name = absl::AsciiStrToUpper(flags.Get("kind"));
  if (!v1::CgroupKind_Parse(name, &kind) || kind == v1::CGROUP_KIND_UNSPECIFIED) {
    return absl::InvalidArgumentError(
        absl::StrCat("--kind ", flags.Get("kind"), ": it is domain, threaded_root or threaded"));
  }
  spec->set_kind(kind);
  return absl::OkStatus();
}

absl::Status Create(const Flags& flags, const Target& target) {
  ASSIGN_OR_RETURN(const v1::CgroupSpec spec, CgroupSpecOf(flags));
  // A lease for as long as it takes: the cgroup does not belong to it.
  ASSIGN_OR_RETURN(const Client client, Client::Connect(target.address, {.connection = target.connection}));
  ASSIGN_OR_RETURN(const v1::CreateCgroupResponse made, CgroupManager(client).Create(spec, CgroupLifetime::kKept));
  std::cout << made.path() << "\n";
  return absl::OkStatus();
}

int CreateMain(const Flags& flags) {
  const absl::StatusOr<Target> target = TargetOf(flags);
  if (!target.ok()) return Fail(target.status(), kExitUsage);
  if (target->address.empty()) {
    return Fail(absl::InvalidArgumentError("name the daemon with --target, or set MUSTER_TARGET"), kExitUsage);
  }
  const absl::StatusOr<v1::CgroupSpec> spec = CgroupSpecOf(flags);
  if (!spec.ok()) return Fail(spec.status(), kExitUsage);
  const absl::Status status = Create(flags, *target);
  return status.ok() ? kExitGood : Fail(status);
}

int RemoveMain(const Flags& flags) {
  const absl::StatusOr<Operator> connection = ConnectOperator(flags);
  if (!connection.ok()) {
    return absl::IsInvalidArgument(connection.status()) ? Fail(connection.status(), kExitUsage)
                                                        : Fail(connection.status());
  }
  const absl::StatusOr<v1::RemoveCgroupResponse> removed = connection->RemoveCgroup(flags.positional()[0]);
  if (!removed.ok()) return Fail(removed.status());
  std::cout << "removed " << flags.positional()[0] << ", " << removed->processes_killed() << " processes killed\n";
  return kExitGood;
}

}  // namespace

absl::StatusOr<v1::CgroupSpec> CgroupSpecOf(const Flags& flags) {
  v1::CgroupSpec spec;
  spec.set_name(flags.positional()[0]);
  RETURN_IF_ERROR(ReadKind(flags, &spec));
  v1::CgroupSettings settings;
  if (flags.Has("cpus")) settings.set_cpuset_cpus(flags.Get("cpus"));
  if (flags.Has("mems")) settings.set_cpuset_mems(flags.Get("mems"));
  RETURN_IF_ERROR(ReadCpuMax(flags, &settings));
  RETURN_IF_ERROR(ReadNumbers(flags, &settings));
  if (settings.ByteSizeLong() > 0) *spec.mutable_settings() = settings;
  return spec;
}

Command CgroupCreateCommand() {
  return {"cgroup create",
          {"NAME"},
          "make a cgroup below the workload root, which stays until it is removed",
          TargetFlags({{"kind", "KIND", "domain (default), threaded_root or threaded"},
                       {"cpus", "LIST", "cpuset.cpus, as 0-3,8"},
                       {"mems", "LIST", "cpuset.mems, as 0-1"},
                       {"cpu-weight", "N", "cpu.weight, 1 to 10000"},
                       {"cpu-quota", "TIME", "cpu.max: CPU time per period, as 50ms"},
                       {"cpu-period", "TIME", "cpu.max: the period, as 100ms"},
                       {"memory-max", "BYTES", "memory.max"},
                       {"memory-high", "BYTES", "memory.high"},
                       {"io-weight", "N", "io.weight, 1 to 10000"},
                       {"pids-max", "N", "pids.max"}}),
          CreateMain};
}

Command CgroupRemoveCommand() {
  return {"cgroup rm", {"NAME"}, "kill what is inside a cgroup and remove it", TargetFlags(), RemoveMain};
}

}  // namespace muster
