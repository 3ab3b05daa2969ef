#include "worker/arena/fill_report.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/cpu_set.h"
#include "base/errno_status.h"
#include "worker/arena/histogram.h"
#include "worker/arena/reader.h"

namespace muster::arena {
namespace {

using v1::WorkerReport;
using Samples = google::protobuf::RepeatedField<uint64_t>;
using Work = ReportOptions::Work;

constexpr uint64_t kNsPerMs = 1'000'000;

template <size_t N>
CpuSet ToCpuSet(const uint64_t (&words)[N]) {
  CpuSet cpus;
  for (uint32_t cpu = 0; cpu < N * 64; ++cpu) {
    if ((words[cpu / 64] >> (cpu % 64) & 1) != 0) cpus.Add(cpu);
  }
  return cpus;
}

// ---- Samples ----

void CopySamples(const Store& store, uint32_t capacity, Samples* samples) {
  const int count = static_cast<int>(NumSamples(store, capacity));
  samples->Reserve(count);
  uint64_t* const target = samples->AddNAlreadyReserved(count);
  // Relaxed loads rather than memcpy: a worker that is late may still be writing. As fast, since memory is the limit.
  for (int i = 0; i < count; ++i) target[i] = store.samples[i].load(std::memory_order_relaxed);
}

void CopyHistogram(const Store& store, v1::Histogram* histogram) {
  uint64_t count = 0;
  for (uint32_t bucket = 0; bucket < kHistogramBuckets; ++bucket) {
    const uint64_t in_bucket = store.buckets[bucket].load(std::memory_order_relaxed);
    if (in_bucket == 0) continue;
    histogram->add_bucket_index(bucket);
    histogram->add_bucket_count(in_bucket);
    count += in_bucket;
  }
  histogram->set_count(count);
  histogram->set_min_ns(store.head->min_ns.load(std::memory_order_relaxed));
  histogram->set_max_ns(store.head->max_ns.load(std::memory_order_relaxed));
  histogram->set_sum_ns(static_cast<double>(store.head->sum_ns.load(std::memory_order_relaxed)));
}

// Where one stream goes in the report.
struct StreamFields {
  Samples* samples;
  v1::Histogram* histogram;
  void (WorkerReport::*set_total)(uint64_t);
};

StreamFields FieldsOf(Stream stream, WorkerReport* report) {
  switch (stream) {
    case kWake:
      return {report->mutable_wake_latencies_ns(), report->mutable_wake_histogram(),
              &WorkerReport::set_wake_sample_total};
    case kCost:
      return {report->mutable_iteration_costs_ns(), report->mutable_iteration_cost_histogram(),
              &WorkerReport::set_iteration_cost_sample_total};
    case kTimer:
      break;
  }
  return {report->mutable_timer_latencies_ns(), report->mutable_timer_histogram(),
          &WorkerReport::set_timer_sample_total};
}

void FillStreams(const Bulk& bulk, const WorkerShape& shape, bool without_samples, WorkerReport* report) {
  for (const Stream stream : {kWake, kCost, kTimer}) {
    const Store& store = bulk.stores[stream];
    if (store.head == nullptr) continue;
    const StreamFields fields = FieldsOf(stream, report);
    if (!without_samples) CopySamples(store, shape.sample_capacity, fields.samples);
    CopyHistogram(store, fields.histogram);
    (report->*fields.set_total)(store.head->total.load(std::memory_order_acquire));
  }
}

void FillMigrations(const Control& control, const Bulk& bulk, const WorkerShape& shape, WorkerReport* report) {
  // Acquire: entries below the count are complete and do not change.
  const uint64_t stored = control.migrations_stored.load(std::memory_order_acquire);
  const uint64_t count = std::min<uint64_t>(stored, shape.migration_capacity);
  for (uint64_t i = 0; i < count; ++i) {
    const MigrationEntry entry = bulk.migrations[i];
    v1::Migration* migration = report->add_migrations();
    migration->set_at_ns(entry.at_ns);
    migration->set_from_cpu(entry.from_cpu);
    migration->set_to_cpu(entry.to_cpu);
  }
}

// ---- Parts of a record ----

void FillCore(const Core& core, WorkerReport* report) {
  report->set_work_units(core.work_units);
  report->set_iterations(core.iterations);
  report->set_migration_count(core.migration_count);
  report->set_max_gap_ns(core.max_gap_ns);
  report->set_max_gap_ms(core.max_gap_ns / kNsPerMs);
  report->set_max_gap_cpu(static_cast<uint32_t>(core.max_gap_cpu));
  report->set_max_gap_at_ms(core.max_gap_at_ns / kNsPerMs);
  report->set_checkpoints(core.checkpoints);
}

void FillCpusUsed(const Control& control, WorkerReport* report) {
  for (uint32_t cpu = 0; cpu <= kMaxCpuId; ++cpu) {
    if ((control.cpus_used[cpu / 64].load(std::memory_order_relaxed) >> (cpu % 64) & 1) != 0)
      report->add_cpus_used(cpu);
  }
}

void FillEvidence(const Evidence& evidence, WorkerReport* report) {
  report->set_tid(evidence.tid);
  report->set_is_messenger(evidence.is_messenger == 1);
  report->set_first_instruction_at_ns(evidence.first_instruction_at_ns);
  report->set_cgroup_at_start(CleanText(evidence.cgroup));
  report->set_cpu_at_start(evidence.cpu);
  report->set_effective_cpus(ToCpuSet(evidence.effective_cpus).ToString());
  report->set_effective_policy(CleanText(evidence.policy));
  report->set_effective_mem_policy(CleanText(evidence.mem_policy));
}

void FillSetup(const Control& control, const Live& live, WorkerReport* report) {
  const ErrorText* const errors = control.setup_errors;
  report->set_setups(live.setups.load(std::memory_order_acquire));
  report->set_affinity_error(CleanText(errors[kSetAffinity]));
  report->set_sched_policy_error(CleanText(errors[kSetPolicy]));
  v1::SetupErrors* const others = report->mutable_setup_errors();
  others->set_mem_policy_error(CleanText(errors[kSetMemPolicy]));
  others->set_nice_error(CleanText(errors[kSetNice]));
  others->set_comm_error(CleanText(errors[kSetComm]));
  others->set_gid_error(CleanText(errors[kSetGid]));
  others->set_uid_error(CleanText(errors[kSetUid]));
  others->set_numa_node_error(CleanText(errors[kSetNode]));
  report->set_noop_reason(CleanText(control.noop_reason));
}

void FillKernelMeasurements(const Final& final, WorkerReport* report) {
  if ((final.measured & kSchedstat) != 0) {
    report->set_schedstat_cpu_time_ns(final.schedstat_cpu_ns);
    report->set_schedstat_run_delay_ns(final.schedstat_run_delay_ns);
    report->set_schedstat_run_count(final.schedstat_run_count);
  }
  if ((final.measured & kSwitches) != 0) {
    report->set_voluntary_ctxt_switches(final.voluntary_switches);
    report->set_involuntary_ctxt_switches(final.involuntary_switches);
  }
  if ((final.measured & kVmstat) != 0) {
    report->set_vmstat_numa_pages_migrated(final.vmstat_numa_pages_migrated);
  }
  if ((final.measured & kNumaPages) != 0) {
    for (uint32_t node = 0; node <= kMaxNodeId; ++node) {
      if (final.numa_pages[node] != 0) (*report->mutable_numa_pages())[node] = final.numa_pages[node];
    }
  }
  report->set_telemetry_error(CleanText(final.telemetry_error));
}

void FillTimes(const Final& final, WorkerReport* report) {
  report->set_cpu_time_ns(final.cpu_time_ns);
  report->set_wall_time_ns(final.wall_time_ns);
  report->set_off_cpu_ns(final.wall_time_ns > final.cpu_time_ns ? final.wall_time_ns - final.cpu_time_ns : 0);
}

void FillEnd(const Final& final, WorkerReport* report) {
  report->set_completed(final.completed == 1);
  report->set_stopped_at_ns(final.stopped_at_ns);
  report->set_cgroup_at_end(CleanText(final.cgroup));
  report->set_cpu_at_end(final.cpu);
}

// ---- How a worker without a sound record ended ----

v1::ExitInfo ExitInfoOf(const HostEntry& entry, const ReportOptions& options) {
  v1::ExitInfo info;
  // Acquire: exit_value is stored before.
  const Exit exit = entry.exit.load(std::memory_order_acquire);
  const int32_t value = entry.exit_value.load(std::memory_order_relaxed);
  switch (exit) {
    case Exit::kExited:
      info.mutable_exited()->set_code(value);
      break;
    case Exit::kSignaled:
      info.mutable_signaled()->set_signal(value);
      break;
    case Exit::kTimedOut:
    case Exit::kStuck:
      info.mutable_timed_out()->set_unreaped(exit == Exit::kStuck);
      break;
    case Exit::kWaitFailed:
      info.mutable_wait_failed()->set_error(std::string(ErrnoStatus(value, "waiting for the worker").message()));
      break;
    case Exit::kNone:
      info.mutable_wait_failed()->set_error(options.unknown_end);
      break;
  }
  info.set_shared_fate(options.shared_fate);
  return info;
}

// ---- One report ----

class Filler {
 public:
  Filler(const Arena& arena, uint32_t worker, const ReportOptions& options)
      : arena_(arena),
        entry_(arena.host(worker)),
        control_(arena.control(worker)),
        worker_(worker),
        options_(options),
        shape_(ShapeOf(entry_)),
        bulk_(TakeApart(arena.bulk(worker), shape_)) {}

  void Fill(WorkerReport* report) const {
    report->Clear();
    FillIdentity(report);
    const std::optional<FinalRecord> record = ReadFinal(arena_, worker_);
    if (record && !record->panicked) {
      FillComplete(*record, report);
    } else if (ProgramEndedWell()) {
      FillRecord(report);
      report->set_completed(true);
    } else {
      FillSentinel(record, report);
    }
    if (options_.work != Work::kFramework) FillAccounting(record, report);
  }

 private:
  void FillIdentity(WorkerReport* report) const {
    report->set_worker_index(worker_);
    report->set_group_idx(entry_.group_idx);
    report->set_pid(entry_.pid.load(std::memory_order_relaxed));
    report->set_tid(entry_.tid.load(std::memory_order_relaxed));
    report->set_released_at_ns(arena_.header().released_at_ns.load(std::memory_order_relaxed));
  }

  // What the worker had measured so far, with whatever core there is.
  void FillRecord(WorkerReport* report) const {
    if (const std::optional<Core> core = ReadCore(control_)) FillMeasured(*core, report);
    if (const std::optional<Evidence> evidence = ReadEvidence(control_)) FillEvidence(*evidence, report);
    FillSetup(control_, arena_.live(worker_), report);
    FillStreams(bulk_, shape_, options_.without_samples, report);
  }

  void FillMeasured(const Core& core, WorkerReport* report) const {
    FillCore(core, report);
    // A function of the user's that never counted an iteration has measured no CPUs.
    if (options_.work != Work::kFramework && core.checkpoints == 0) return;
    FillCpusUsed(control_, report);
    FillMigrations(control_, bulk_, shape_, report);
  }

  void FillComplete(const FinalRecord& record, WorkerReport* report) const {
    FillMeasured(record.core, report);
    FillEvidence(record.evidence, report);
    FillSetup(control_, arena_.live(worker_), report);
    FillStreams(bulk_, shape_, options_.without_samples, report);
    FillEnd(record.final, report);
    if (options_.work != Work::kFramework) return;
    FillTimes(record.final, report);
    FillKernelMeasurements(record.final, report);
  }

  void FillSentinel(const std::optional<FinalRecord>& record, WorkerReport* report) const {
    *report->mutable_exit_info() = ExitInfoOf(entry_, options_);
    if (record) {
      report->mutable_exit_info()->mutable_panicked()->set_text(CleanText(record->final.panic));
      // A panic is the worker's own; the process lives on.
      report->mutable_exit_info()->set_shared_fate(false);
    }
    const std::optional<Core> core = ReadCore(control_);
    if (!core && !ReadEvidence(control_)) return;
    v1::LastRecord* const last = report->mutable_last_record();
    if (core && core->at_ns < options_.now_ns) last->set_age_ns(options_.now_ns - core->at_ns);
    FillIdentity(last->mutable_record());
    FillRecord(last->mutable_record());
    if (record) {
      FillEnd(record->final, last->mutable_record());
      last->mutable_record()->set_completed(false);
    }
  }

  // A program leaves no record of its own: its exit is its record.
  bool ProgramEndedWell() const {
    if (options_.work != Work::kProgram || KnownState(arena_.live(worker_).state.load()) != State::kExec) return false;
    const Exit exit = entry_.exit.load(std::memory_order_acquire);
    if (exit == Exit::kExited) return true;
    return exit == Exit::kSignaled && entry_.exit_value.load(std::memory_order_relaxed) == options_.stop_signal &&
           arena_.header().stop.load(std::memory_order_relaxed) != 0;
  }

  void FillAccounting(const std::optional<FinalRecord>& record, WorkerReport* report) const {
    v1::KernelAccounting* const accounting = report->mutable_kernel_accounting();
    accounting->set_max_rss_bytes(entry_.max_rss_bytes.load(std::memory_order_relaxed));
    if (options_.work == Work::kFunction) {
      if (!record) return;
      accounting->set_cpu_time_ns(record->final.cpu_time_ns);
      accounting->set_voluntary_ctxt_switches(record->final.voluntary_switches);
      accounting->set_involuntary_ctxt_switches(record->final.involuntary_switches);
      return;
    }
    accounting->set_cpu_time_ns(entry_.cpu_time_ns.load(std::memory_order_relaxed));
    accounting->set_voluntary_ctxt_switches(entry_.voluntary_switches.load(std::memory_order_relaxed));
    accounting->set_involuntary_ctxt_switches(entry_.involuntary_switches.load(std::memory_order_relaxed));
    if (entry_.exit.load(std::memory_order_acquire) == Exit::kExited) {
      accounting->set_exit_code(entry_.exit_value.load(std::memory_order_relaxed));
    }
  }

  const Arena& arena_;
  const HostEntry& entry_;
  const Control& control_;
  const uint32_t worker_;
  const ReportOptions& options_;
  const WorkerShape shape_;
  const Bulk bulk_;
};

}  // namespace

void FillReport(const Arena& arena, uint32_t worker, const ReportOptions& options, v1::WorkerReport* report) {
  Filler(arena, worker, options).Fill(report);
}

}  // namespace muster::arena
