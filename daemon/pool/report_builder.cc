#include "daemon/pool/report_builder.h"

#include <signal.h>

#include <algorithm>

#include "worker/arena/fill_report.h"
#include "worker/arena/reader.h"
#include "worker/control/spec.h"
#include "worker/telemetry/muster_telemetry.h"

namespace muster {
namespace {

using Work = arena::ReportOptions::Work;

Work KindOf(const v1::Work& work) {
  if (!work.has_custom()) return Work::kFramework;
  return work.custom().has_program() ? Work::kProgram : Work::kFunction;
}

// The pool host did not live to reap the worker; whoever reaped it knows.
void FillStrayEnd(const ReportContext& context, v1::WorkerReport* report) {
  if (!context.stray_end) return;
  const std::optional<ProcessEnd> end = context.stray_end(report->pid());
  if (!end.has_value()) return;
  v1::ExitInfo* info = report->mutable_exit_info();
  if (end->signal != 0) {
    info->mutable_signaled()->set_signal(end->signal);
  } else {
    info->mutable_exited()->set_code(end->exit_code);
  }
}

void FillTelemetry(const ReportContext& context, uint32_t worker, v1::WorkerReport* report) {
  const muster_telemetry* telemetry = context.telemetry ? context.telemetry(worker) : nullptr;
  if (telemetry == nullptr) return;
  const uint64_t iterations = __atomic_load_n(&telemetry->iterations, __ATOMIC_RELAXED);
  const uint64_t work_units = __atomic_load_n(&telemetry->work_units, __ATOMIC_RELAXED);
  if (iterations == 0 && work_units == 0) return;
  report->mutable_kernel_accounting()->set_reported_iterations(iterations);
  report->mutable_kernel_accounting()->set_reported_work_units(work_units);
}

// First and last of the times that workers stamped; zeros when none did.
struct Stamps {
  uint64_t first = 0;
  uint64_t last = 0;

  void Add(uint64_t at_ns) {
    if (at_ns == 0) return;
    first = first == 0 ? at_ns : std::min(first, at_ns);
    last = std::max(last, at_ns);
  }
};

uint64_t Since(uint64_t later, uint64_t earlier) { return earlier != 0 && later > earlier ? later - earlier : 0; }

}  // namespace

void BuildReport(const ReportContext& context, uint32_t worker, bool without_samples, v1::WorkerReport* report) {
  const arena::HostEntry& entry = context.arena->host(worker);
  const v1::GroupSpec group = GroupOf(*context.spec, entry.group_idx);
  arena::ReportOptions options;
  options.without_samples = without_samples;
  options.now_ns = context.collected_at_ns;
  options.shared_fate = IsOneProcess(*context.spec);
  options.work = KindOf(group.work());
  if (options.work == Work::kProgram) options.stop_signal = group.work().custom().program().stop_signal();
  if (!context.host_error.empty()) options.unknown_end = context.host_error;
  arena::FillReport(*context.arena, worker, options, report);
  if (options.work == Work::kProgram) FillTelemetry(context, worker, report);
  if (!report->has_exit_info()) return;
  if (entry.exit.load(std::memory_order_acquire) == arena::Exit::kNone && !report->exit_info().has_panicked()) {
    FillStrayEnd(context, report);
  }
  v1::ExitInfo* info = report->mutable_exit_info();
  if (info->has_signaled() && info->signaled().signal() == SIGKILL && context.oom_killed &&
      context.oom_killed(worker)) {
    info->mutable_signaled()->set_oom_killed(true);
  }
}

void FillSummary(const ReportContext& context, v1::PoolSummary* summary) {
  const arena::Arena& arena = *context.arena;
  const arena::Header& header = arena.header();
  Stamps starts, stops, reaps;
  uint32_t sentinels = 0;
  v1::WorkerReport report;
  for (uint32_t worker = 0; worker < arena.num_workers(); ++worker) {
    BuildReport(context, worker, /*without_samples=*/true, &report);
    sentinels += report.has_exit_info();
    starts.Add(report.first_instruction_at_ns());
    stops.Add(report.stopped_at_ns());
    reaps.Add(arena.host(worker).reaped_at_ns.load(std::memory_order_relaxed));
  }
  const uint64_t stopped_at_ns = header.stopped_at_ns.load(std::memory_order_relaxed);
  summary->set_workers(arena.num_workers());
  summary->set_sentinels(sentinels);
  summary->set_released_at_ns(header.released_at_ns.load(std::memory_order_relaxed));
  summary->set_release_call_ns(header.release_call_ns.load(std::memory_order_relaxed));
  summary->set_start_skew_ns(Since(starts.last, starts.first));
  summary->set_last_start_ns(Since(starts.last, summary->released_at_ns()));
  summary->set_stopped_at_ns(stopped_at_ns);
  summary->set_stop_latency_ns(Since(stops.last, stopped_at_ns));
  summary->set_reap_ns(Since(reaps.last, stopped_at_ns));
  summary->set_pool_host_error(context.host_error);
  for (const v1::GroupSummary& group : GroupsOf(*context.spec)) *summary->add_groups() = group;
}

std::vector<v1::GroupSummary> GroupsOf(const v1::WorkloadSpec& spec) {
  std::vector<v1::GroupSummary> groups;
  for (uint32_t i = 0; i < NumGroups(spec); ++i) {
    const v1::GroupSpec group = GroupOf(spec, i);
    v1::GroupSummary summary;
    summary.set_group_idx(i);
    summary.set_work_type(WorkName(group.work()));
    summary.set_workers(group.num_workers());
    summary.set_cgroup(group.cgroup());
    groups.push_back(summary);
  }
  return groups;
}

}  // namespace muster
