// Looking at workers while they run.
#include <sched.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/status_macros.h"
#include "tests/bench/experiments.h"
#include "tests/bench/lazy_bench.h"
#include "tests/bench/watch_load.h"
#include "tests/bench/workloads.h"

namespace muster::bench {
namespace {

using Side = Goal::Side;
using Daemon = std::shared_ptr<LazyBench>;

constexpr uint32_t kWorkers = 1000;
constexpr int kClientPriority = 1;

uint64_t At(std::vector<uint64_t>* took_ns, size_t percent) {
  std::sort(took_ns->begin(), took_ns->end());
  return (*took_ns)[took_ns->size() * percent / 100];
}

absl::StatusOr<Values> TimeSnapshots(const WorkloadHandle& handle, int count, const std::string& prefix) {
  std::vector<uint64_t> took_ns;
  size_t bytes = 0;
  for (int i = 0; i < count; ++i) {
    const uint64_t began_ns = MonotonicNs();
    ASSIGN_OR_RETURN(const v1::SnapshotResponse snapshot, handle.Snapshot());
    took_ns.push_back(MonotonicNs() - began_ns);
    bytes = snapshot.ByteSizeLong();
  }
  return Values{
      {prefix + "p50_ns", At(&took_ns, 50)}, {prefix + "p99_ns", At(&took_ns, 99)}, {prefix + "bytes", bytes}};
}

// A pool that runs until the experiment is over, made at the first call.
class StandingPool {
 public:
  StandingPool(Daemon daemon, v1::WorkloadSpec spec) : daemon_(std::move(daemon)), spec_(std::move(spec)) {}

  absl::StatusOr<WorkloadHandle*> Get() {
    if (handle_ == nullptr) {
      ASSIGN_OR_RETURN(Bench* const bench, daemon_->Get());
      ASSIGN_OR_RETURN(WorkloadHandle handle, bench->client().Spawn(spec_));
      RETURN_IF_ERROR(handle.Start());
      RETURN_IF_ERROR(AwaitAllRunning(handle));
      handle_ = std::make_unique<WorkloadHandle>(std::move(handle));
    }
    return handle_.get();
  }
  void Close() { handle_.reset(); }
  Daemon daemon() const { return daemon_; }

 private:
  const Daemon daemon_;
  const v1::WorkloadSpec spec_;
  std::unique_ptr<WorkloadHandle> handle_;
};

// Bytes of a snapshot of so many workers, as they go over the wire.
constexpr char kSnapshotBytes[] = "26000";

Experiment Snapshots(const Setting& setting) {
  const auto pool = std::make_shared<StandingPool>(std::make_shared<LazyBench>(setting.programs), Blockers(kWorkers));
  const int count = setting.quick ? 500 : 3000;
  return {.name = "snapshot",
          .parties = {{"snapshot",
                       [=]() -> absl::StatusOr<Values> {
                         ASSIGN_OR_RETURN(WorkloadHandle* const handle, pool->Get());
                         return TimeSnapshots(*handle, count, "ours.");
                       }},
                      {"bare",
                       [=] {
                         return RunBare(setting.programs, {"round-trip", kSnapshotBytes, absl::StrCat(count)});
                       }}},
          .rows = {{"snapshot",
                    "Snapshot of 1,000 workers, unary, p50",
                    "same bytes over a raw unix socket",
                    "ours.p50_ns",
                    "bare.p50_ns",
                    {Side::kAtMost, 5}}}};
}

// Runs `measure` on a thread at SCHED_FIFO; the other side runs only while this one waits.
absl::StatusOr<Values> AtFifo(const std::function<absl::StatusOr<Values>()>& measure) {
  absl::StatusOr<Values> values = absl::UnknownError("not measured");
  std::thread([&] {
    const sched_param parameters = {.sched_priority = kClientPriority};
    if (pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters) != 0) {
      values = absl::PermissionDeniedError("SCHED_FIFO for the client's thread");
      return;
    }
    values = measure();
  }).join();
  return values;
}

Experiment SnapshotsUnderLoad(const Setting& setting) {
  const auto pool = std::make_shared<StandingPool>(std::make_shared<LazyBench>(setting.programs), Blockers(kWorkers));
  const int count = setting.quick ? 300 : 1000;
  const v1::WorkloadSpec load = Workers(32, "spin_wait {}");
  const auto with_load = [=](const std::function<absl::StatusOr<Values>()>& measure) -> absl::StatusOr<Values> {
    RETURN_IF_ERROR(pool->Get().status());
    ASSIGN_OR_RETURN(Bench* const bench, pool->daemon()->Get());
    ASSIGN_OR_RETURN(WorkloadHandle spinners, bench->client().Spawn(load));
    RETURN_IF_ERROR(spinners.Start());
    absl::StatusOr<Values> values = measure();
    RETURN_IF_ERROR(std::move(spinners).Drop());
    return values;
  };
  const auto ours = [=]() -> absl::StatusOr<Values> {
    ASSIGN_OR_RETURN(WorkloadHandle* const handle, pool->Get());
    return AtFifo([&] { return TimeSnapshots(*handle, count, "ours."); });
  };
  const auto bare = [=] {
    return RunBare(setting.programs,
                   {"round-trip", kSnapshotBytes, absl::StrCat(count), absl::StrCat(kClientPriority)});
  };
  return {
      .name = "snapshot-loaded",
      .parties = {{"snapshot", [=] { return with_load(ours); }}, {"bare", [=] { return with_load(bare); }}},
      .rows = {{"snapshot-loaded",
                "Snapshot while 32 workers spin, client at SCHED_FIFO, p50",
                "raw unix socket, both ends SCHED_FIFO",
                "ours.p50_ns",
                "bare.p50_ns",
                {Side::kAtMost, 10}},
               {"snapshot-loaded-p99", "the same, p99", "its p50", "ours.p99_ns", "ours.p50_ns", {Side::kAtMost, 2}}}};
}

// ---- Watch ----

// At 100 messages a second each more than a daemon on two CPUs has time for.
constexpr int kWatches = 1500;
constexpr absl::Duration kPeriod = absl::Milliseconds(10);
constexpr absl::Duration kPatience = absl::Seconds(30);

// No row: how far gRPC alone is from the goal, in the numbers of the run (--out).
absl::StatusOr<Values> PushWithGrpcAlone(const Programs& programs, int streams, uint64_t run_ms) {
  ASSIGN_OR_RETURN(const ProgramOutput output,
                   RunProgram({programs.stream_peer, kSnapshotBytes, absl::StrCat(streams), absl::StrCat(run_ms)}));
  return Values{{absl::StrCat("grpc.message_ns_of_", streams), atof(output.text.c_str() + output.text.find(' '))}};
}

// As many messages as the daemon can push, so that wall time per message is what one costs, here and there.
absl::StatusOr<Values> PushAll(StandingPool* pool, uint64_t run_ms) {
  ASSIGN_OR_RETURN(WorkloadHandle* const handle, pool->Get());
  ASSIGN_OR_RETURN(Bench* const bench, pool->daemon()->Get());
  const WatchLoad load({bench->address(), handle->pool_id(), kWatches, kPeriod});
  const Deadline deadline = Deadline::After(kPatience);
  while (load.open() < kWatches && load.ended() == 0 && !deadline.Expired()) SleepMs(5);
  const uint64_t before = load.messages();
  const uint64_t began_ns = MonotonicNs();
  SleepMs(run_ms);
  const uint64_t messages = load.messages() - before;
  const uint64_t took_ns = MonotonicNs() - began_ns;
  if (load.open() < kWatches || load.ended() > 0) {
    return absl::InternalError(
        absl::StrCat(load.open(), " of ", kWatches, " watches opened, ", load.ended(), " ended"));
  }
  return Values{{"watch.message_ns", static_cast<double>(took_ns) / static_cast<double>(messages)}};
}

Experiment Watches(const Setting& setting) {
  // At ordinary priority: a daemon that is busy on all CPUs must not be a real-time one.
  const auto pool = std::make_shared<StandingPool>(
      std::make_shared<LazyBench>(setting.programs, std::vector<std::string>{"--control-priority=0"}),
      Blockers(kWorkers));
  const uint64_t run_ms = setting.quick ? 300 : 1000;
  return {.name = "watch",
          .parties = {{"watch", [=] { return PushAll(pool.get(), run_ms); }},
                      {"grpc-1", [=] { return PushWithGrpcAlone(setting.programs, 1, run_ms); }},
                      {"grpc", [=] { return PushWithGrpcAlone(setting.programs, kWatches, run_ms); }},
                      {"bare",
                       [=] {
                         return RunBare(setting.programs, {"round-trip", kSnapshotBytes, "3000"});
                       }}},
          .rows = {{"watch",
                    "Watch of 1,000 workers, per message, as fast as it goes",
                    "raw unix request and response",
                    "watch.message_ns",
                    "bare.p50_ns",
                    {Side::kAtMost, 0.6}}}};
}

}  // namespace

std::vector<Experiment> WatchExperiments(const Setting& setting) {
  return {Snapshots(setting), SnapshotsUnderLoad(setting), Watches(setting)};
}

}  // namespace muster::bench
