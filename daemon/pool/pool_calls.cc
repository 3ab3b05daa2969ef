// The calls on a pool's workers: Place, Start, Snapshot, Collect.
#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/error_detail.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "daemon/pool/pool_core.h"
#include "daemon/pool/pool_state.h"
#include "worker/arena/reader.h"
#include "worker/arena/settled_samples.h"
#include "worker/control/spec.h"
#include "worker/meter/procfs.h"

namespace muster {

// The right to change the workers; ends with its scope.
class PoolCore::Turn {
 public:
  explicit Turn(std::shared_ptr<PoolCore> core) : core_(std::move(core)) {}
  Turn(Turn&&) = default;
  Turn& operator=(Turn&&) = delete;
  ~Turn() {
    if (core_ != nullptr) core_->EndTurn();
  }

 private:
  std::shared_ptr<PoolCore> core_;
};

absl::Status PoolCore::BeginTurn(Deadline deadline) {
  MutexLock lock(&mutex_);
  while (turn_taken_) {
    if (!changed_.WaitUntil(&mutex_, deadline.when()) && deadline.Expired()) {
      return absl::DeadlineExceededError(absl::StrCat("another call on pool ", id(), " has not ended"));
    }
  }
  turn_taken_ = true;
  return absl::OkStatus();
}

void PoolCore::EndTurn() {
  MutexLock lock(&mutex_);
  turn_taken_ = false;
  changed_.NotifyAll();
}

absl::Status PoolCore::WrongState(PoolState state, const char* call, const char* needs) const {
  if (state == PoolState::kDropped) return absl::NotFoundError(absl::StrCat("pool ", id(), " was dropped"));
  return PreconditionError({"POOL_STATE", id()}, absl::StrCat("pool ", id(), " is ", PoolStateName(state), ", and ",
                                                              call, " needs it ", needs));
}

// ---- Place ----

namespace {

absl::Status CheckWorkers(const std::vector<uint32_t>& workers, uint32_t num_workers) {
  std::vector<bool> named(num_workers);
  for (size_t i = 0; i < workers.size(); ++i) {
    if (workers[i] >= num_workers) {
      return FieldError("workers", absl::StrCat("there is no worker ", workers[i], "; the pool has ", num_workers));
    }
    // What is done for a part of the pool depends on how many there are.
    if (named[workers[i]]) {
      return FieldError(absl::StrCat("workers[", i, "]"),
                        absl::StrCat("worker ", workers[i], " is named twice; name each once"));
    }
    named[workers[i]] = true;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<control::Request> PoolCore::PlaceRequest(const PlaceTarget& target, bool at_gate,
                                                        std::vector<UniqueFd>* dirs) const {
  control::Request request;
  control::Place* place = request.mutable_place();
  RETURN_IF_ERROR(CheckWorkers(target.workers, arena_.num_workers()));
  for (const uint32_t worker : target.workers) place->add_workers(worker);
  for (uint32_t worker = 0; target.workers.empty() && worker < arena_.num_workers(); ++worker)
    place->add_workers(worker);
  place->set_setup_again(at_gate);
  if (target.to_cpus) {
    const absl::StatusOr<CpuSet> cpus = CpuSet::Parse(target.cpus);
    if (!cpus.ok()) return FieldError("cpus", cpus.status().message());
    if (cpus->empty()) return FieldError("cpus", "the set is empty; name at least one CPU");
    if (!cpus->IsSubsetOf(environment_.topology.online)) {
      return FieldError("cpus", absl::StrCat(cpus->ToString(), " has CPUs that are not online; online are ",
                                             environment_.topology.online.ToString()));
    }
    place->set_cpus(cpus->ToString());
    return request;
  }
  ASSIGN_OR_RETURN(PoolCgroup cgroup, environment_.cgroups->Open(target.cgroup));
  const bool is_threaded = cgroup.kind == v1::THREADED;
  const bool by_thread = target.unit == PlaceUnit::kThread || (target.unit == PlaceUnit::kDefault && is_threaded);
  if (by_thread && !is_threaded) {
    return PreconditionError({"CGROUP_KIND", target.cgroup},
                             absl::StrCat("threads can be placed in a THREADED cgroup only, and ", target.cgroup,
                                          " is none; make one below the pool's THREADED_ROOT, or place by process"));
  }
  const bool is_part = static_cast<uint32_t>(place->workers_size()) < arena_.num_workers();
  if (!by_thread && is_part && IsOneProcess(resolved().spec)) {
    return PreconditionError({"PLACE_UNIT", id()},
                             absl::StrCat("the workers of pool ", id(),
                                          " are threads of one process, and cgroup.procs moves it "
                                          "whole; place all workers, or these by thread into a THREADED cgroup"));
  }
  place->set_by_thread(by_thread);
  dirs->push_back(std::move(cgroup.dir));
  return request;
}

namespace {

// What became of a call to a host that is gone, for a client: to it UNAVAILABLE is a broken connection, and worth
// another try.
absl::Status OfLostHost(const absl::Status& status, const std::string& id, PoolState state) {
  if (!absl::IsUnavailable(status)) return status;
  if (state == PoolState::kDropped) return absl::NotFoundError(absl::StrCat("pool ", id, " was dropped"));
  return PreconditionError({"POOL_HOST", id},
                           absl::StrCat("pool ", id, " has lost its pool host, and its workers with it: ",
                                        status.message(), "; collect its reports, or drop it"));
}

}  // namespace

absl::StatusOr<std::vector<PlaceOutcome>> PoolCore::Place(const PlaceTarget& target, Deadline deadline) {
  RETURN_IF_ERROR(BeginTurn(deadline));
  const Turn turn(shared_from_this());
  const PoolState now = state();
  if (now != PoolState::kReady && now != PoolState::kStarted) return WrongState(now, "Place", "READY or STARTED");
  std::vector<UniqueFd> dirs;
  ASSIGN_OR_RETURN(control::Request request, PlaceRequest(target, now == PoolState::kReady, &dirs));
  std::vector<int> descriptors;
  for (const UniqueFd& dir : dirs) descriptors.push_back(dir.get());
  absl::StatusOr<control::Reply> reply = host_->Call(std::move(request), descriptors, deadline);
  if (!reply.ok()) return OfLostHost(reply.status(), id(), state());
  std::vector<PlaceOutcome> outcomes;
  outcomes.reserve(reply->places_size());
  for (control::PlaceResult& result : *reply->mutable_places()) {
    outcomes.push_back({result.worker(), std::move(*result.mutable_error()), std::move(*result.mutable_cgroup()),
                        std::move(*result.mutable_effective_cpus())});
  }
  return outcomes;
}

// ---- Start ----

void PoolCore::Release(uint64_t now_ns, uint64_t vmstat_plus_one) const {
  arena::Header& header = arena_.header();
  header.vmstat_plus_one.store(vmstat_plus_one, std::memory_order_relaxed);
  header.released_at_ns.store(now_ns, std::memory_order_relaxed);
  arena::Open(gate(), arena_.wake_order());
}

void PoolCore::StartControlClocks() {
  const uint64_t host_ns = host_->process().CpuTimeNs();
  MutexLock lock(&mutex_);
  host_cpu_before_ns_ = host_ns;
  daemon_cpu_before_ns_ = ClockNs(CLOCK_PROCESS_CPUTIME_ID);
}

absl::StatusOr<StartResult> PoolCore::StartAll(std::vector<std::shared_ptr<PoolCore>> pools, Deadline deadline) {
  const std::vector<std::shared_ptr<PoolCore>> asked_for = pools;
  // Turns are taken in one order, each pool's once, so that two calls never wait for each other.
  std::sort(pools.begin(), pools.end());
  pools.erase(std::unique(pools.begin(), pools.end()), pools.end());
  std::vector<Turn> turns;
  std::vector<std::shared_ptr<PoolCore>> ready;
  for (const std::shared_ptr<PoolCore>& pool : pools) {
    RETURN_IF_ERROR(pool->BeginTurn(deadline));
    turns.emplace_back(pool);
    const PoolState now = pool->state();
    if (now == PoolState::kReady) ready.push_back(pool);
    if (now != PoolState::kReady && now != PoolState::kStarted)
      return pool->WrongState(now, "Start", "READY or STARTED");
  }
  for (const std::shared_ptr<PoolCore>& pool : ready) pool->StartControlClocks();
  const absl::StatusOr<uint64_t> migrated = ReadNumaPagesMigrated();
  const uint64_t now_ns = MonotonicNs();
  for (const std::shared_ptr<PoolCore>& pool : ready) pool->Release(now_ns, migrated.ok() ? *migrated + 1 : 0);
  StartResult result;
  result.release_call_ns = MonotonicNs() - now_ns;
  control::Request released;
  released.mutable_released();
  for (const std::shared_ptr<PoolCore>& pool : ready) {
    pool->arena_.header().release_call_ns.store(result.release_call_ns, std::memory_order_relaxed);
    const absl::Status told = pool->host_->Post(released);
    if (!told.ok())
      LogWarning(absl::StrCat("pool ", pool->id(), ": telling the pool host of the start: ", told.message()));
    MutexLock lock(&pool->mutex_);
    // Its host may just have been lost, or somebody dropped it.
    if (pool->state_ == PoolState::kReady) pool->MoveTo(PoolState::kStarted);
  }
  for (const std::shared_ptr<PoolCore>& pool : asked_for) {
    const bool is_new = std::find(ready.begin(), ready.end(), pool) != ready.end();
    result.pools.push_back({pool->id(), pool->arena_.header().released_at_ns.load(std::memory_order_relaxed), !is_new});
  }
  return result;
}

// ---- Snapshot ----

namespace {

WorkerState StateOf(const arena::LiveReading& live, bool has_ended) {
  if (live.state == arena::State::kFinished) return WorkerState::kFinished;
  if (has_ended || live.state == arena::State::kPanicked) return WorkerState::kDead;
  const bool is_past_gate = live.state == arena::State::kRunning || live.state == arena::State::kExec;
  return is_past_gate ? WorkerState::kRunning : WorkerState::kBlocked;
}

// The greater of what was shown before and what is there now, which becomes what was shown.
uint64_t NeverBack(uint64_t now, uint64_t* shown) { return *shown = std::max(*shown, now); }

}  // namespace

absl::StatusOr<PoolSnapshot> PoolCore::Snapshot() {
  PoolState now;
  bool was_collected = false;
  {
    MutexLock lock(&mutex_);
    now = state_;
    was_collected = collected_at_ns_ != 0;
  }
  const bool is_gone = now == PoolState::kDropped && !was_collected;
  if (now == PoolState::kSpawning || is_gone) return WrongState(now, "Snapshot", "READY or later");
  const uint32_t workers = arena_.num_workers();
  PoolSnapshot snapshot;
  snapshot.iterations.resize(workers);
  snapshot.work_units.resize(workers);
  snapshot.states.resize(workers);
  snapshot.last_cpus.resize(workers);
  snapshot.ages_ns.resize(workers);
  snapshot.final = was_collected;
  MutexLock lock(&shown_mutex_);
  shown_iterations_.resize(workers);
  shown_units_.resize(workers);
  snapshot.taken_at_ns = MonotonicNs();
  for (uint32_t i = 0; i < workers; ++i) {
    arena::LiveReading live = arena::ReadLive(arena_, i);
    if (const muster_telemetry* telemetry = telemetry_.Find(i)) {
      live.iterations = __atomic_load_n(&telemetry->iterations, __ATOMIC_RELAXED);
      live.work_units = __atomic_load_n(&telemetry->work_units, __ATOMIC_RELAXED);
    }
    const bool has_ended = snapshot.final || arena_.host(i).exit.load(std::memory_order_relaxed) != arena::Exit::kNone;
    snapshot.iterations[i] = NeverBack(live.iterations, &shown_iterations_[i]);
    snapshot.work_units[i] = NeverBack(live.work_units, &shown_units_[i]);
    snapshot.states[i] = StateOf(live, has_ended);
    snapshot.last_cpus[i] = live.last_cpu;
    const bool has_age = live.checkpoint_at_ns != 0 && live.checkpoint_at_ns < snapshot.taken_at_ns;
    snapshot.ages_ns[i] = has_age ? snapshot.taken_at_ns - live.checkpoint_at_ns : 0;
  }
  return snapshot;
}

// ---- Reports ----

ReportContext PoolCore::ContextOfReports() {
  ReportContext context;
  context.arena = &arena_;
  context.spec = &identity_.resolved.spec;
  {
    MutexLock lock(&mutex_);
    context.collected_at_ns = collected_at_ns_ != 0 ? collected_at_ns_ : MonotonicNs();
    context.host_error = host_error_;
  }
  context.stray_end = [this](pid_t pid) {
    MutexLock lock(&mutex_);
    return strays_.Find(pid);
  };
  context.telemetry = [this](uint32_t worker) { return telemetry_.Find(worker); };
  context.oom_killed = [this](uint32_t worker) { return cgroups_.OomKilledInGroup(arena_.host(worker).group_idx); };
  return context;
}

absl::Status PoolCore::CheckHasReport(uint32_t worker) const {
  const PoolState now = state();
  if (now != PoolState::kCollected) return WrongState(now, "a report", "COLLECTED");
  if (worker >= arena_.num_workers()) return absl::OutOfRangeError(absl::StrCat("there is no worker ", worker));
  return absl::OkStatus();
}

absl::Status PoolCore::FillReport(uint32_t worker, bool without_samples, v1::WorkerReport* report) {
  RETURN_IF_ERROR(CheckHasReport(worker));
  BuildReport(ContextOfReports(), worker, without_samples, report);
  return absl::OkStatus();
}

absl::StatusOr<SamplesInPlace> PoolCore::FillReportAroundSamples(uint32_t worker, v1::WorkerReport* report) {
  RETURN_IF_ERROR(CheckHasReport(worker));
  // Before the report, which is settled then, too.
  const std::optional<arena::SettledSamples> samples = arena::SettledSamplesOf(arena_, worker);
  const ReportContext context = ContextOfReports();
  BuildReport(context, worker, /*without_samples=*/samples.has_value(), report);
  if (!samples.has_value()) return SamplesInPlace();
  if (report->has_exit_info()) {
    // A sentinel's samples are in its last record.
    BuildReport(context, worker, /*without_samples=*/false, report);
    return SamplesInPlace();
  }
  return SamplesInPlace{(*samples)[arena::kWake], (*samples)[arena::kCost], (*samples)[arena::kTimer],
                        shared_from_this()};
}

absl::StatusOr<v1::PoolSummary> PoolCore::Summary() {
  const PoolState now = state();
  if (now != PoolState::kCollected) return WrongState(now, "the summary", "COLLECTED");
  v1::PoolSummary summary;
  summary.set_pool_id(id());
  FillSummary(ContextOfReports(), &summary);
  MutexLock lock(&mutex_);
  const uint64_t deadline_ns = absl::ToInt64Nanoseconds(environment_.limits.collect_deadline) + drain_bound_ns_;
  summary.mutable_deadline()->set_seconds(deadline_ns / 1'000'000'000);
  summary.mutable_deadline()->set_nanos(deadline_ns % 1'000'000'000);
  summary.set_pool_host_cpu_ns(host_cpu_ns_);
  summary.set_daemon_cpu_ns(daemon_cpu_ns_);
  return summary;
}

absl::Status PoolCore::Collect(const CollectOptions& options, ReportSink* sink, Deadline deadline) {
  if (options.from_worker > resolved().num_workers) {
    return absl::OutOfRangeError(
        absl::StrCat("from_worker ", options.from_worker, " is above the pool's ", resolved().num_workers, " workers"));
  }
  RETURN_IF_ERROR(Stop(deadline));
  const ReportContext context = ContextOfReports();
  v1::WorkerReport report;
  for (uint32_t worker = options.from_worker; worker < arena_.num_workers(); ++worker) {
    if (deadline.Expired())
      return absl::DeadlineExceededError(absl::StrCat("worker ", worker, " is the next to report on"));
    if (state() != PoolState::kCollected) return WrongState(state(), "StopAndCollect", "COLLECTED");
    BuildReport(context, worker, options.without_samples, &report);
    if (!sink->OnReport(report)) return absl::CancelledError("the collection is not wanted any more");
  }
  ASSIGN_OR_RETURN(const v1::PoolSummary summary, Summary());
  sink->OnSummary(summary);
  return absl::OkStatus();
}

}  // namespace muster
