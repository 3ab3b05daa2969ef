#include "client/report_summary.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "client/proto_time.h"

namespace muster {
namespace {

constexpr absl::Duration kDefaultGapThreshold = absl::Seconds(2);

// `path` is relative to the cgroup mount, `root` an absolute path: what is left of `path` behind the longest end of
// `root` that it begins with. "muster/a/cg0" below "/sys/fs/cgroup/muster/a" is "cg0".
absl::string_view RelativeTo(absl::string_view root, absl::string_view path) {
  absl::ConsumePrefix(&path, "/");
  while (!root.empty()) {
    absl::ConsumePrefix(&root, "/");
    absl::string_view rest = path;
    if (!root.empty() && absl::ConsumePrefix(&rest, root) && absl::ConsumePrefix(&rest, "/")) return rest;
    root.remove_prefix(std::min(root.find('/'), root.size()));
  }
  return path;
}

std::string AskedCgroup(const v1::WorkloadSpec& spec, uint32_t group) {
  if (group == 0) return spec.cgroup();
  return group <= static_cast<uint32_t>(spec.composed_size()) ? spec.composed(group - 1).cgroup() : std::string();
}

// Setup steps that failed softly, in one line; empty when none did.
std::string SetupFailures(const v1::WorkerReport& report) {
  const v1::SetupErrors& errors = report.setup_errors();
  std::string text;
  for (const std::string* error :
       {&report.affinity_error(), &report.sched_policy_error(), &errors.mem_policy_error(), &errors.nice_error(),
        &errors.comm_error(), &errors.gid_error(), &errors.uid_error(), &errors.numa_node_error()}) {
    if (!error->empty()) absl::StrAppend(&text, text.empty() ? "" : "; ", *error);
  }
  return text;
}

}  // namespace

ReportSummarizer::ReportSummarizer(v1::WorkloadSpec resolved_spec, std::string pool_id, std::string workload_root)
    : resolved_spec_(std::move(resolved_spec)),
      pool_id_(std::move(pool_id)),
      workload_root_(std::move(workload_root)),
      gap_threshold_(resolved_spec_.has_gap_threshold() ? FromProto(resolved_spec_.gap_threshold())
                                                        : kDefaultGapThreshold) {}

std::string ReportSummarizer::CgroupOf(const v1::WorkerReport& report) const {
  if (!report.cgroup_at_start().empty()) {
    const absl::string_view name = RelativeTo(workload_root_, report.cgroup_at_start());
    // No cgroup that anyone can ask for begins with a dot: it is the pool's own.
    return absl::StartsWith(name, ".") ? pool_id_ : std::string(name);
  }
  const std::string asked = AskedCgroup(resolved_spec_, report.group_idx());
  return asked.empty() ? pool_id_ : asked;
}

ReportSummarizer::Accumulator& ReportSummarizer::AccumulatorOf(const std::string& cgroup) {
  for (Accumulator& accumulator : cgroups_) {
    if (accumulator.roll_up.name == cgroup) return accumulator;
  }
  cgroups_.emplace_back().roll_up.name = cgroup;
  return cgroups_.back();
}

void ReportSummarizer::Add(const v1::WorkerReport& report) {
  const std::string cgroup = CgroupOf(report);
  Accumulator& accumulator = AccumulatorOf(cgroup);
  CgroupRollUp& roll_up = accumulator.roll_up;
  ++roll_up.workers;
  roll_up.migrations += report.migration_count();
  roll_up.iterations += report.iterations();
  roll_up.work_units += report.work_units();
  for (const uint32_t cpu : report.cpus_used()) {
    if (cpu <= CpuSet::kMaxId) roll_up.cpus.Add(cpu);
  }
  if (report.max_gap_ms() > roll_up.gap_ms) {
    roll_up.gap_ms = report.max_gap_ms();
    roll_up.gap_cpu = report.max_gap_cpu();
  }
  if (!report.has_exit_info() && report.wall_time_ns() > 0) {
    const double share = 100.0 * static_cast<double>(report.off_cpu_ns()) / static_cast<double>(report.wall_time_ns());
    accumulator.least_off_cpu = std::min(share, accumulator.least_off_cpu.value_or(share));
    accumulator.most_off_cpu = std::max(share, accumulator.most_off_cpu.value_or(share));
  }
  if (report.has_vmstat_numa_pages_migrated()) {
    summary_.vmstat_numa_pages_migrated =
        std::max(summary_.vmstat_numa_pages_migrated.value_or(0), report.vmstat_numa_pages_migrated());
  }
  AddToGroup(report);
  AddFindings(report, cgroup);
}

void ReportSummarizer::AddToGroup(const v1::WorkerReport& report) {
  GroupRollUp& group = groups_[report.group_idx()];
  group.group_idx = report.group_idx();
  ++group.workers;
  group.wake.Add(report.wake_histogram());
  group.cost.Add(report.iteration_cost_histogram());
  group.timer.Add(report.timer_histogram());
  if (report.wall_time_ns() == 0) return;
  const double seconds = static_cast<double>(report.wall_time_ns()) / 1e9;
  group.units_per_sec += static_cast<double>(report.work_units()) / seconds;
  group.iterations_per_sec += static_cast<double>(report.iterations()) / seconds;
}

void ReportSummarizer::AddFindings(const v1::WorkerReport& report, const std::string& cgroup) {
  WorkerVerdict judged = JudgeWorker(report, gap_threshold_);
  if (judged.verdict != Verdict::kGood) {
    auto& findings = judged.verdict == Verdict::kBad ? summary_.starved : summary_.unclear;
    findings.push_back({report.worker_index(), cgroup, std::move(judged.reason)});
  }
  std::string failures = SetupFailures(report);
  if (!failures.empty()) summary_.soft_failures.push_back({report.worker_index(), cgroup, std::move(failures)});
}

ReportSummary ReportSummarizer::Finish(const v1::PoolSummary& pool) const {
  ReportSummary summary = summary_;
  for (const Accumulator& accumulator : cgroups_) {
    CgroupRollUp& roll_up = summary.cgroups.emplace_back(accumulator.roll_up);
    if (accumulator.most_off_cpu.has_value()) {
      roll_up.spread_percent = *accumulator.most_off_cpu - *accumulator.least_off_cpu;
    }
    summary.workers += roll_up.workers;
    summary.migrations += roll_up.migrations;
    summary.worst_spread_percent = std::max(summary.worst_spread_percent, roll_up.spread_percent);
    summary.worst_gap_ms = std::max(summary.worst_gap_ms, roll_up.gap_ms);
    summary.cpus = summary.cpus.Union(roll_up.cpus);
  }
  for (const auto& [index, group] : groups_) {
    GroupRollUp& roll_up = summary.groups.emplace_back(group);
    if (index < static_cast<uint32_t>(pool.groups_size())) roll_up.work_type = pool.groups(index).work_type();
  }
  if (summary.workers != pool.workers() || summary.workers == 0) {
    summary.doubt = absl::StrCat("the pool had ", pool.workers(), " workers, and ", summary.workers, " reports came");
  } else if (!pool.pool_host_error().empty()) {
    summary.doubt = absl::StrCat("the pool host ended badly: ", pool.pool_host_error());
  }
  const bool clear = summary.unclear.empty() && summary.doubt.empty();
  summary.verdict = !summary.starved.empty() ? Verdict::kBad : clear ? Verdict::kGood : Verdict::kCannotTell;
  return summary;
}

std::string FormatStats(const ReportSummary& summary) {
  size_t cpus = 0;
  for (const CgroupRollUp& cgroup : summary.cgroups) cpus += cgroup.cpus.Count();
  std::string text = absl::StrFormat(
      "--- stats ---\n%d workers, %d cpus, %d migrations, worst_spread=%.1f%%, worst_gap=%dms cpus_union=%d\n",
      summary.workers, cpus, summary.migrations, summary.worst_spread_percent, summary.worst_gap_ms,
      summary.cpus.Count());
  for (const CgroupRollUp& cgroup : summary.cgroups) {
    absl::StrAppendFormat(&text, "%s: workers=%d cpus=%d spread=%.1f%% gap=%dms migrations=%d iter=%d\n", cgroup.name,
                          cgroup.workers, cgroup.cpus.Count(), cgroup.spread_percent, cgroup.gap_ms, cgroup.migrations,
                          cgroup.iterations);
  }
  return text;
}

namespace {

void AppendStream(std::string* text, absl::string_view name, const MergedHistogram& samples) {
  if (samples.count() == 0) return;
  absl::StrAppendFormat(text, "  %s: n=%d", name, samples.count());
  for (const double percent : {50.0, 90.0, 99.0, 99.9}) {
    absl::StrAppendFormat(text, " p%g=%.1fus", percent, static_cast<double>(*samples.PercentileNs(percent)) / 1e3);
  }
  absl::StrAppendFormat(text, " max=%.1fus\n", static_cast<double>(*samples.max_ns()) / 1e3);
}

}  // namespace

std::string FormatSamples(const ReportSummary& summary) {
  std::string text;
  for (const GroupRollUp& group : summary.groups) {
    if (group.wake.count() + group.cost.count() + group.timer.count() == 0) continue;
    if (text.empty()) text = "--- samples ---\n";
    absl::StrAppendFormat(&text, "group %d %s: workers=%d units/s=%.1f iterations/s=%.1f\n", group.group_idx,
                          group.work_type, group.workers, group.units_per_sec, group.iterations_per_sec);
    AppendStream(&text, "wake", group.wake);
    AppendStream(&text, "cost", group.cost);
    AppendStream(&text, "timer", group.timer);
  }
  return text;
}

}  // namespace muster
