#include "tools/cli/pool_commands.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "client/operator.h"
#include "client/proto_time.h"
#include "tools/cli/proto_json.h"
#include "tools/cli/target.h"

namespace muster {
namespace {

const FlagSpec kJsonFlag = {"json", "", "print it as JSON"};

// One message, as JSON or as text.
absl::Status PrintMessage(const Flags& flags, const google::protobuf::Message& message, const std::string& text) {
  if (!flags.Has("json")) return Print(text);
  ASSIGN_OR_RETURN(const std::string json, ToJson(message));
  return Print(absl::StrCat(json, "\n"));
}

// Runs `act` with a connection to the named daemon.
int WithOperator(const Flags& flags, absl::Status (*act)(const Flags&, const Operator&)) {
  const absl::StatusOr<Operator> connection = ConnectOperator(flags);
  if (!connection.ok()) {
    return absl::IsInvalidArgument(connection.status()) ? Fail(connection.status(), kExitUsage)
                                                        : Fail(connection.status());
  }
  const absl::Status status = act(flags, *connection);
  return status.ok() ? kExitGood : Fail(status);
}

absl::Status Ps(const Flags& flags, const Operator& connection) {
  ASSIGN_OR_RETURN(const v1::ListPoolsResponse pools, connection.ListPools());
  return PrintMessage(flags, pools, FormatPools(pools));
}

absl::Status Snapshot(const Flags& flags, const Operator& connection) {
  ASSIGN_OR_RETURN(const v1::SnapshotResponse snapshot, connection.Pool(flags.positional()[0]).Snapshot());
  return PrintMessage(flags, snapshot, FormatSnapshot(snapshot));
}

std::string FormatUpdate(const v1::WatchUpdate& update) {
  const auto& iterations = update.iterations_delta();
  const auto& units = update.work_units_delta();
  const auto running = std::count(update.states().begin(), update.states().end(), v1::RUNNING);
  return absl::StrFormat("+%d iterations, +%d work units, %d/%d workers running%s\n",
                         std::accumulate(iterations.begin(), iterations.end(), uint64_t{0}),
                         std::accumulate(units.begin(), units.end(), uint64_t{0}), running, update.states_size(),
                         update.final() ? ", ended" : "");
}

absl::StatusOr<absl::Duration> PeriodOf(const Flags& flags) {
  absl::Duration period = absl::Seconds(1);
  if (!flags.Has("period") || absl::ParseDuration(flags.Get("period"), &period)) return period;
  return absl::InvalidArgumentError(absl::StrCat("--period ", flags.Get("period"), ": write it as 1s or 200ms"));
}

absl::Status Watch(const Flags& flags, const Operator& connection) {
  ASSIGN_OR_RETURN(const absl::Duration period, PeriodOf(flags));
  const std::unique_ptr<Watcher> watcher =
      connection.Pool(flags.positional()[0]).Watch(period, {.timeout = absl::InfiniteDuration()});
  while (true) {
    ASSIGN_OR_RETURN(const std::optional<v1::WatchUpdate> update, watcher->Next());
    if (!update.has_value()) return absl::OkStatus();
    RETURN_IF_ERROR(PrintMessage(flags, *update, FormatUpdate(*update)));
  }
}

int WatchMain(const Flags& flags) {
  const absl::Status period = PeriodOf(flags).status();
  return period.ok() ? WithOperator(flags, Watch) : Fail(period, kExitUsage);
}

absl::Status Drop(const Flags& flags, const Operator& connection) {
  const std::string& id = flags.positional()[0];
  ASSIGN_OR_RETURN(const bool existed, connection.Pool(id).Drop());
  return Print(absl::StrCat(existed ? "dropped " : "there was no ", id, "\n"));
}

std::string StateName(const std::string& name) { return absl::AsciiStrToLower(name); }

}  // namespace

std::string FormatPools(const v1::ListPoolsResponse& pools) {
  std::string text = absl::StrFormat("%-14s %-10s %8s %6s %8s  %-24s %s\n", "POOL", "STATE", "WORKERS", "DEAD", "AGE",
                                     "OWNER", "GROUPS");
  for (const v1::PoolInfo& pool : pools.pools()) {
    std::vector<std::string> groups;
    for (const v1::GroupSummary& group : pool.groups()) {
      groups.push_back(
          absl::StrCat(group.workers(), " ", group.work_type(), group.cgroup().empty() ? "" : " in ", group.cgroup()));
    }
    absl::StrAppendFormat(&text, "%-14s %-10s %8d %6d %8s  %-24s %s%s\n", pool.pool_id(),
                          StateName(v1::PoolState_Name(pool.state())), pool.workers(), pool.dead_workers(),
                          absl::FormatDuration(absl::Trunc(FromProto(pool.age()), absl::Seconds(1))), pool.owner(),
                          absl::StrJoin(groups, ", "), pool.detached() ? " (detached)" : "");
  }
  return text;
}

std::string FormatSnapshot(const v1::SnapshotResponse& snapshot) {
  std::string text =
      absl::StrFormat("%6s %12s %14s %-10s %4s %10s\n", "WORKER", "ITERATIONS", "WORK UNITS", "STATE", "CPU", "AGE");
  // Columns of a message from outside may differ in length.
  for (int i = 0; i < snapshot.iterations_size(); ++i) {
    const v1::WorkerState state = i < snapshot.states_size() ? snapshot.states(i) : v1::WORKER_STATE_UNSPECIFIED;
    const absl::Duration age = absl::Nanoseconds(i < snapshot.ages_ns_size() ? snapshot.ages_ns(i) : 0);
    absl::StrAppendFormat(&text, "%6d %12d %14d %-10s %4d %10s\n", i, snapshot.iterations(i),
                          i < snapshot.work_units_size() ? snapshot.work_units(i) : 0,
                          StateName(v1::WorkerState_Name(state)),
                          i < snapshot.last_cpus_size() ? snapshot.last_cpus(i) : -1,
                          absl::FormatDuration(absl::Trunc(age, absl::Microseconds(1))));
  }
  return text;
}

Command PsCommand() {
  return {"ps", {}, "list every pool of a daemon", TargetFlags({kJsonFlag}), [](const Flags& flags) {
            return WithOperator(flags, Ps);
          }};
}

Command SnapshotCommand() {
  return {
      "snapshot", {"POOL"}, "show the counters of a pool's workers", TargetFlags({kJsonFlag}), [](const Flags& flags) {
        return WithOperator(flags, Snapshot);
      }};
}

Command WatchCommand() {
  return {"watch",
          {"POOL"},
          "follow a pool's counters until it ends",
          TargetFlags({{"json", "", "print each update as one line of JSON"},
                       {"period", "TIME", "between two updates, 10ms to 1h (default 1s)"}}),
          WatchMain};
}

Command DropCommand() {
  return {"drop", {"POOL"}, "kill a pool's workers and forget it", TargetFlags(), [](const Flags& flags) {
            return WithOperator(flags, Drop);
          }};
}

}  // namespace muster
