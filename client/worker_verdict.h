// What one report says about its worker.
#ifndef MUSTER_CLIENT_WORKER_VERDICT_H_
#define MUSTER_CLIENT_WORKER_VERDICT_H_

#include <string>

#include "absl/time/time.h"
#include "muster/v1/report.pb.h"

namespace muster {

enum class Verdict {
  // It did its work.
  kGood,
  // Starved: it died, has neither work units nor iterations, or has a gap above the threshold.
  kBad,
  // It ended well, and nothing says whether it did its work.
  kCannotTell,
};

struct WorkerVerdict {
  Verdict verdict = Verdict::kGood;
  // Empty for a good one.
  std::string reason;
};

WorkerVerdict JudgeWorker(const v1::WorkerReport& report, absl::Duration gap_threshold);

}  // namespace muster

#endif  // MUSTER_CLIENT_WORKER_VERDICT_H_
