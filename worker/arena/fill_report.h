// From a worker's record in the arena to its WorkerReport.
#ifndef MUSTER_WORKER_ARENA_FILL_REPORT_H_
#define MUSTER_WORKER_ARENA_FILL_REPORT_H_

#include <cstdint>
#include <string>

#include "muster/v1/report.pb.h"
#include "worker/arena/arena.h"

namespace muster::arena {

// What the arena does not say of a worker.
struct ReportOptions {
  bool without_samples = false;
  // Time of the collection, for the age of a last record.
  uint64_t now_ns = 0;
  // Its workers are threads of one process.
  bool shared_fate = false;
  enum class Work {
    kFramework,
    kFunction,  // of the user's own: only what it counted itself, and kernel_accounting
    kProgram,   // the same; complete when it exited, or died of its stop signal after the stop
  };
  Work work = Work::kFramework;
  int stop_signal = 0;  // of a program
  // Why the host table has no word on a worker without a sound record, as "the pool host was killed by signal 9".
  std::string unknown_end = "nobody could tell how the worker ended";
};

// Fills in the report of one worker, which is overwritten. Complete and sound: a live report. Otherwise a sentinel:
// zero counters, exit_info by the host table, and in last_record what the worker had measured. Whatever the worker
// wrote, this neither crashes nor takes more memory than the arena's own capacities.
void FillReport(const Arena& arena, uint32_t worker, const ReportOptions& options, v1::WorkerReport* report);

}  // namespace muster::arena

#endif  // MUSTER_WORKER_ARENA_FILL_REPORT_H_
