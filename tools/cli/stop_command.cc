#include "tools/cli/stop_command.h"

#include <utility>

#include "base/status_macros.h"
#include "client/operator.h"
#include "tools/cli/results.h"
#include "tools/cli/target.h"

namespace muster {
namespace {

absl::StatusOr<ExitCode> Stop(const Flags& flags, const Operator& connection, Results& results) {
  const RemotePool pool = connection.Pool(flags.positional()[0]);
  ASSIGN_OR_RETURN(v1::PoolInfo described, connection.DescribePool(pool.id()));
  ASSIGN_OR_RETURN(const v1::GetServerInfoResponse info, connection.ServerInfo());
  RETURN_IF_ERROR(results.Begin({std::move(*described.mutable_resolved_spec()), pool.id(), info.workload_root()}));
  ASSIGN_OR_RETURN(const v1::PoolSummary summary,
                   pool.Collect({.without_samples = flags.Has("without-samples")},
                                [&](v1::WorkerReport&& report) { results.Add(report); }));
  ASSIGN_OR_RETURN(const ExitCode code, results.Finish(summary));
  // Only now: reports that could not be written can still be asked for.
  RETURN_IF_ERROR(pool.Confirm());
  return code;
}

int StopMain(const Flags& flags) {
  absl::StatusOr<Results> results = Results::Open(flags);
  if (!results.ok()) return Fail(results.status());
  const absl::StatusOr<Operator> connection = ConnectOperator(flags);
  if (!connection.ok()) {
    return absl::IsInvalidArgument(connection.status()) ? Fail(connection.status(), kExitUsage)
                                                        : Fail(connection.status());
  }
  const absl::StatusOr<ExitCode> code = Stop(flags, *connection, *results);
  return code.ok() ? *code : Fail(code.status());
}

}  // namespace

Command StopCommand() {
  std::vector<FlagSpec> flags = TargetFlags();
  for (const FlagSpec& flag : Results::OutputFlags()) flags.push_back(flag);
  return {"stop", {"POOL"}, "stop a pool, collect its reports and judge it as `muster run` does", flags, StopMain};
}

}  // namespace muster
