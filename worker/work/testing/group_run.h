// Runs the members of one work type's group against an arena of their own, without a pool host: for tests of work
// types.
#ifndef MUSTER_WORKER_WORK_TESTING_GROUP_RUN_H_
#define MUSTER_WORKER_WORK_TESTING_GROUP_RUN_H_

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "muster/v1/work.pb.h"
#include "worker/arena/arena.h"
#include "worker/core/work_type.h"
#include "worker/work/testing/cpu_share.h"

namespace muster {

struct GroupRunOptions {
  v1::Work work;               // resolved
  uint32_t instances = 1;      // of the group
  bool threads = false;        // members are threads of one process; else processes
  std::vector<uint32_t> only;  // positions that run, of each instance; empty: all
  // CPU that a member is pinned to; empty: none is.
  std::function<uint32_t(const WorkerPlace&)> cpu_of;
  uint64_t seed = 1;  // of the group; each member's follows from it
  uint32_t max_rt_priority = 98;
  // The stop says that it came so much later, and so do the members' ends, as if the stop had taken so long to come.
  absl::Duration stop_ahead;
  // Runs in each member before its step is made, as a test's fault.
  std::function<void(const WorkerPlace&)> before;
};

// What is left of a member after its loop.
struct MemberResult {
  uint64_t iterations = 0;
  uint64_t work_units = 0;
  uint64_t max_gap_ns = 0;
  uint64_t samples[arena::kStreams] = {};          // totals offered
  uint64_t smallest_sample[arena::kStreams] = {};  // ns
  std::string noop_reason;
  std::string policy_error;
  bool ended_by_itself = false;  // the step returned kDone or kAbandon before the stop
};

// Owns the members: the destructor kills and reaps what Stop did not. Not thread-safe.
class GroupRun {
 public:
  // Validates, plumbs, and starts the members; returns when all are about to take their first step.
  static absl::StatusOr<std::unique_ptr<GroupRun>> Start(const GroupRunOptions& options);
  GroupRun(const GroupRun&) = delete;
  GroupRun& operator=(const GroupRun&) = delete;
  ~GroupRun();

  // Members that run, in the order of instance and position.
  uint32_t size() const { return members_.size(); }
  const WorkerPlace& place(uint32_t member) const { return members_[member]; }
  pid_t tid(uint32_t member) const;
  pid_t pid(uint32_t member) const;
  uint64_t iterations(uint32_t member) const;
  uint64_t work_units(uint32_t member) const;
  bool ended(uint32_t member) const;
  // Offered so far.
  uint64_t samples(uint32_t member, arena::Stream stream) const;
  const Plumbing& plumbing(uint32_t instance) const { return *plumbing_[instance]; }

  // Looks again and again until `condition` holds; false when it does not within `timeout` on the clock.
  static bool Eventually(const std::function<bool()>& condition, absl::Duration timeout);
  // The same with a bound for what the members had of their CPUs since they were let go.
  bool WithinShare(const std::function<bool()>& condition, absl::Duration bound) const;
  // Every member has counted `count` iterations, or ended.
  bool HaveIterations(uint64_t count) const;
  // They come to have them within such a bound.
  bool WaitForIterations(uint64_t count, absl::Duration bound) const;
  // The member sleeps in the kernel, and goes on doing so over several looks.
  bool WaitBlocked(uint32_t member, absl::Duration timeout) const;

  // What a stop may take: the 100 ms of docs/work-types.md, and the kernel's rounding of idle times.
  static constexpr absl::Duration kStopBound = absl::Milliseconds(kSlowdown * 120);
  // Stops all members as the pool host does, waits for them, and reaps them. DEADLINE_EXCEEDED names those that had not
  // left their loop when the members had had `bound` of their CPUs since the stop; INTERNAL those that did not end
  // well, or that left a process behind.
  absl::Status Stop(absl::Duration bound = kStopBound);
  // After Stop.
  const MemberResult& result(uint32_t member) const { return results_[member]; }
  // Time from the stop word to the last member's leaving its loop.
  absl::Duration stop_took() const { return stop_took_; }

 private:
  struct Board;

  explicit GroupRun(const GroupRunOptions& options) : options_(options) {}
  absl::Status Prepare();
  absl::Status Launch();
  void RunMember(uint32_t member);
  [[noreturn]] void RunProcess(const std::vector<uint32_t>& members);
  absl::Status Reap();
  MemberResult Collect(uint32_t member) const;
  // From now on.
  CpuShare ShareOfMembers() const;

  const GroupRunOptions options_;
  const WorkType* type_ = nullptr;
  std::vector<WorkerPlace> members_;
  std::vector<std::unique_ptr<Plumbing>> plumbing_;  // one per instance
  arena::Arena arena_;
  Board* board_ = nullptr;
  std::vector<pid_t> processes_;
  std::string children_before_;
  std::optional<CpuShare> share_;  // since they were let go
  std::vector<MemberResult> results_;
  absl::Duration stop_took_;
};

// Runs the group for `duration` (until all members have an iteration, at most a second longer), stops it, and returns
// the members' results. Fails as Start and Stop do.
absl::StatusOr<std::vector<MemberResult>> RunGroup(const GroupRunOptions& options,
                                                   absl::Duration duration = absl::Milliseconds(100));

}  // namespace muster

#endif  // MUSTER_WORKER_WORK_TESTING_GROUP_RUN_H_
