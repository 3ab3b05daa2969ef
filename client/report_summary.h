// Reports rolled up per cgroup, and what they mean together.
#ifndef MUSTER_CLIENT_REPORT_SUMMARY_H_
#define MUSTER_CLIENT_REPORT_SUMMARY_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/cpu_set.h"
#include "client/merged_histogram.h"
#include "client/worker_verdict.h"
#include "muster/v1/muster.pb.h"

namespace muster {

// The workers of one cgroup.
struct CgroupRollUp {
  std::string name;
  uint32_t workers = 0;
  // Union of cpus_used.
  CpuSet cpus;
  // Largest minus smallest share of the wall time that a worker spent off CPU, in percent; over workers that measured
  // it.
  double spread_percent = 0;
  // Worst max_gap_ms, and the CPU that belongs to it.
  uint64_t gap_ms = 0;
  uint32_t gap_cpu = 0;
  uint64_t migrations = 0;
  uint64_t iterations = 0;
  uint64_t work_units = 0;
};

// The workers of one group of the specification.
struct GroupRollUp {
  uint32_t group_idx = 0;
  std::string work_type;
  uint32_t workers = 0;
  // Sums of the workers' own rates, over what each has measured; requests per second where units are requests.
  double units_per_sec = 0;
  double iterations_per_sec = 0;
  // All samples of all its workers; empty: a stream that its type does not fill.
  MergedHistogram wake;
  MergedHistogram cost;
  MergedHistogram timer;
};

// A worker that is not simply good.
struct WorkerFinding {
  uint32_t worker_index = 0;
  std::string cgroup;
  std::string text;
};

struct ReportSummary {
  // In the order in which worker order first meets them.
  std::vector<CgroupRollUp> cgroups;
  // By group_idx.
  std::vector<GroupRollUp> groups;
  uint32_t workers = 0;
  uint64_t migrations = 0;
  double worst_spread_percent = 0;
  uint64_t worst_gap_ms = 0;
  // Union over all cgroups.
  CpuSet cpus;
  // Largest of the workers' readings: the counter is the machine's, and a sum would count each page for every worker.
  std::optional<uint64_t> vmstat_numa_pages_migrated;
  // Why the verdict is bad.
  std::vector<WorkerFinding> starved;
  // Why it cannot be told; a reason that concerns no single worker has its text in `doubt`.
  std::vector<WorkerFinding> unclear;
  std::string doubt;
  // Setup that failed while the worker ran on; does not touch the verdict.
  std::vector<WorkerFinding> soft_failures;
  // Bad when any worker starved; otherwise kCannotTell when anything is unclear.
  Verdict verdict = Verdict::kCannotTell;
};

// Takes reports one by one, so that they need not all be in memory. Thread-compatible.
class ReportSummarizer {
 public:
  // `workload_root` as GetServerInfo tells it: cgroups are named relative to it.
  ReportSummarizer(v1::WorkloadSpec resolved_spec, std::string pool_id, std::string workload_root);

  void Add(const v1::WorkerReport& report);

  // After the last report.
  ReportSummary Finish(const v1::PoolSummary& pool) const;

 private:
  // A cgroup's roll-up while it is made.
  struct Accumulator {
    CgroupRollUp roll_up;
    std::optional<double> least_off_cpu;
    std::optional<double> most_off_cpu;
  };

  // By the worker's own evidence; where there is none, the cgroup that was asked for; else the pool's id.
  std::string CgroupOf(const v1::WorkerReport& report) const;
  Accumulator& AccumulatorOf(const std::string& cgroup);
  void AddToGroup(const v1::WorkerReport& report);
  void AddFindings(const v1::WorkerReport& report, const std::string& cgroup);

  const v1::WorkloadSpec resolved_spec_;
  const std::string pool_id_;
  const std::string workload_root_;
  const absl::Duration gap_threshold_;
  std::vector<Accumulator> cgroups_;
  std::map<uint32_t, GroupRollUp> groups_;
  ReportSummary summary_;
};

// The "--- stats ---" block: that line, one for the pool, one per cgroup, each with its newline. The pool's `cpus` is
// the sum over the cgroups; cpus_union counts each CPU once.
std::string FormatStats(const ReportSummary& summary);

// The "--- samples ---" block: per group a line with its rates, then one per stream that was filled, with the
// percentiles 50, 90, 99 and 99.9 of all its workers' samples. Empty when no group has any sample.
std::string FormatSamples(const ReportSummary& summary);

}  // namespace muster

#endif  // MUSTER_CLIENT_REPORT_SUMMARY_H_
