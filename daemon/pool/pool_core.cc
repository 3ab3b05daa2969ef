#include "daemon/pool/pool_core.h"

#include <sys/resource.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "daemon/pool/pool_state.h"
#include "worker/arena/reader.h"
#include "worker/control/spec.h"

namespace muster {
namespace {

// What a reply may take beyond what the pool host was given for the work itself.
constexpr absl::Duration kReplySlack = absl::Seconds(2);
// For each worker to do something when a stop has to start the pool first.
constexpr absl::Duration kFirstIterationTimeout = absl::Seconds(1);
constexpr absl::Duration kFirstIterationPoll = absl::Milliseconds(1);
// For the ends of workers that a lost pool host left behind: their death signal is immediate.
constexpr absl::Duration kStrayTimeout = absl::Seconds(2);

uint64_t Ns(absl::Duration duration) { return static_cast<uint64_t>(absl::ToInt64Nanoseconds(duration)); }

}  // namespace

PoolCore::PoolCore(Identity identity, const PoolEnvironment* environment, Hooks hooks)
    : identity_(std::move(identity)),
      environment_(*environment),
      pool_collected_(std::move(hooks.collected)),
      made_at_ns_(MonotonicNs()),
      cgroups_(environment->cgroups, identity_.id, std::move(hooks.cgroup_left)),
      labels_(identity_.labels),
      daemon_cpu_before_ns_(ClockNs(CLOCK_PROCESS_CPUTIME_ID)) {}

PoolCore::~PoolCore() { Drop(Deadline::After(environment_.limits.reap_budget)); }

absl::Status PoolCore::Spawn(Deadline deadline) {
  {
    MutexLock lock(&mutex_);
    making_ = true;
  }
  absl::Status made = Make(deadline);
  {
    MutexLock lock(&mutex_);
    making_ = false;
    if (state_ != PoolState::kSpawning)
      made = absl::CancelledError(absl::StrCat("pool ", id(), " was dropped meanwhile"));
    // Nobody would tell of its end a second time.
    if (made.ok() && host_ended_) made = absl::InternalError("the pool host ended while the pool was being made");
    if (made.ok()) {
      strays_.Watch(&arena_);
      MoveTo(PoolState::kReady);
    }
    changed_.NotifyAll();
  }
  if (!made.ok()) Drop(Deadline::After(environment_.limits.reap_budget));
  return made;
}

absl::Status PoolCore::MayGoOn(Deadline deadline) const {
  if (state() != PoolState::kSpawning) return absl::CancelledError("dropped while it was being made");
  if (deadline.Expired()) return absl::DeadlineExceededError(absl::StrCat("pool ", id(), " could not be made in time"));
  return absl::OkStatus();
}

absl::Status PoolCore::Make(Deadline deadline) {
  RETURN_IF_ERROR(cgroups_.Acquire(identity_.resolved, [this, deadline] { return MayGoOn(deadline); }));
  ASSIGN_OR_RETURN(const UniqueFd arena_fd, arena::Arena::Create(identity_.shapes, environment_.huge_files));
  ASSIGN_OR_RETURN(arena_, arena::Arena::Map(arena_fd.get(), arena::Arena::Access::kDaemon));
  RETURN_IF_ERROR(MayGoOn(deadline));
  ASSIGN_OR_RETURN(LaunchedHost launched, environment_.launcher->Launch());
  {
    MutexLock lock(&mutex_);
    if (state_ != PoolState::kSpawning) return absl::CancelledError("dropped while it was being made");
    host_pid_ = launched.process->pid();
    ASSIGN_OR_RETURN(host_, PoolHost::Make(std::move(launched), this));
  }
  std::vector<int> descriptors = {arena_fd.get()};
  for (const UniqueFd& directory : cgroups_.directories()) descriptors.push_back(directory.get());
  const Deadline reply_by = Earlier(deadline, Deadline::After(environment_.limits.spawn_timeout + kReplySlack));
  const absl::StatusOr<control::Reply> reply = host_->Call(PlanRequest(), descriptors, reply_by);
  // To a client UNAVAILABLE is a broken connection.
  if (absl::IsUnavailable(reply.status())) return absl::InternalError(reply.status().message());
  RETURN_IF_ERROR(reply.status());
  cgroups_.CloseDirectories();
  {
    MutexLock lock(&mutex_);
    drain_bound_ns_ = reply->drain_bound_ns();
  }
  return MapTelemetry();
}

control::Request PoolCore::PlanRequest() const {
  control::Request request;
  control::Plan* plan = request.mutable_plan();
  plan->set_pool_id(id());
  *plan->mutable_spec() = resolved().spec;
  for (uint32_t i = 0; i < resolved().groups.size(); ++i) {
    const ResolvedGroup& group = resolved().groups[i];
    control::GroupPlan* planned = plan->add_groups();
    planned->set_num_workers(group.num_workers);
    planned->set_cgroup_fd(cgroups_.IndexOfGroup(i));
    for (const std::string& cpus : group.worker_cpus) planned->add_worker_cpus(cpus);
  }
  plan->set_control_priority(environment_.control_priority);
  plan->set_max_worker_rt_priority(environment_.limits.max_worker_rt_priority);
  plan->set_allow_exec(environment_.allow_exec);
  plan->set_spawners(environment_.spawners > 0 ? environment_.spawners
                                               : std::max<size_t>(1, environment_.topology.online.Count()));
  plan->set_spawn_timeout_ns(Ns(environment_.limits.spawn_timeout));
  return request;
}

absl::Status PoolCore::MapTelemetry() {
  for (uint32_t worker = 0; worker < arena_.num_workers(); ++worker) {
    const int number = arena_.host(worker).telemetry_fd.load(std::memory_order_relaxed);
    if (number < 0) continue;
    ASSIGN_OR_RETURN(const UniqueFd fd, host_->process().CopyDescriptor(number));
    RETURN_IF_ERROR(telemetry_.Add(worker, fd));
  }
  return absl::OkStatus();
}

void PoolCore::MoveTo(PoolState to) {
  if (!MayMove(state_, to)) {
    LogWarning(absl::StrCat("pool ", id(), ": illegal move ", PoolStateName(state_), " to ", PoolStateName(to)));
    return;
  }
  state_ = to;
}

absl::Status PoolCore::Stop(Deadline deadline) {
  if (state() == PoolState::kReady) {
    const absl::StatusOr<StartResult> started = StartAll({shared_from_this()}, deadline);
    // Somebody else may have started or stopped it first.
    if (!started.ok() && !absl::IsFailedPrecondition(started.status())) return started.status();
    if (started.ok() && !started->pools[0].already_started) AwaitFirstIterations(deadline);
  }
  bool is_first = false;
  {
    MutexLock lock(&mutex_);
    if (state_ == PoolState::kSpawning) return WrongState(state_, "StopAndCollect", "READY or later");
    if (state_ == PoolState::kStarted) {
      MoveTo(PoolState::kStopping);
      is_first = true;
    }
  }
  if (is_first) SendStop();
  MutexLock lock(&mutex_);
  while (state_ == PoolState::kStopping) {
    if (!changed_.WaitUntil(&mutex_, deadline.when()) && deadline.Expired()) {
      return absl::DeadlineExceededError(absl::StrCat("pool ", id(), " is still being stopped"));
    }
  }
  if (state_ == PoolState::kDropped) return absl::NotFoundError(absl::StrCat("pool ", id(), " was dropped"));
  return absl::OkStatus();
}

bool PoolCore::HasDoneSomething(uint32_t worker) const {
  if (arena_.host(worker).exit.load(std::memory_order_relaxed) != arena::Exit::kNone) return true;
  const arena::LiveReading live = arena::ReadLive(arena_, worker);
  // A function of the user's own need not count; a program cannot.
  const bool need_not_count = GroupOf(resolved().spec, arena_.host(worker).group_idx).work().has_custom();
  return live.iterations > 0 || live.state > (need_not_count ? arena::State::kReady : arena::State::kRunning);
}

void PoolCore::AwaitFirstIterations(Deadline deadline) {
  deadline = Earlier(deadline, Deadline::After(kFirstIterationTimeout));
  MutexLock lock(&mutex_);
  for (uint32_t worker = 0; worker < arena_.num_workers() && state_ == PoolState::kStarted;) {
    if (HasDoneSomething(worker)) {
      ++worker;
    } else if (deadline.Expired()) {
      return;
    } else {
      // Workers only store: nobody rings for an iteration.
      changed_.WaitUntil(&mutex_, SteadyDeadline(kFirstIterationPoll));
    }
  }
}

void PoolCore::SendStop() {
  const Limits& limits = environment_.limits;
  absl::Duration bound = limits.collect_deadline;
  {
    MutexLock lock(&mutex_);
    bound += absl::Nanoseconds(drain_bound_ns_);
  }
  control::Request request;
  request.mutable_stop()->set_deadline_ns(MonotonicNs() + Ns(bound));
  request.mutable_stop()->set_reap_budget_ns(Ns(limits.reap_budget));
  const Deadline reply_by = Deadline::After(bound + limits.reap_budget + kReplySlack);
  // The table drops a pool, and so waits for this call, before it lets go of it.
  host_->Send(std::move(request), {}, reply_by, [this](absl::StatusOr<control::Reply> reply) { OnStopped(reply); });
}

void PoolCore::OnStopped(const absl::StatusOr<control::Reply>& reply) {
  if (reply.ok() && reply->code() == 0) return BecomeCollected("", reply->host_cpu_ns());
  if (state() == PoolState::kDropped) return;
  // A pool host that does not stop its workers is of no more use: its end takes them along, and OnHostEnded collects.
  LogWarning(absl::StrCat("pool ", id(), ": the pool host did not stop its workers: ",
                          reply.ok() ? reply->message() : std::string(reply.status().message())));
  host_->Kill();
}

void PoolCore::BecomeCollected(const std::string& host_error, uint64_t host_cpu_ns) {
  // Reports are to be the same whenever they are asked for.
  cgroups_.SettleOomEvidence();
  {
    MutexLock lock(&mutex_);
    if (!MayMove(state_, PoolState::kCollected)) return;
    host_error_ = host_error;
    host_cpu_ns_ = host_cpu_ns - std::min(host_cpu_ns, host_cpu_before_ns_);
    daemon_cpu_ns_ = ClockNs(CLOCK_PROCESS_CPUTIME_ID) - daemon_cpu_before_ns_;
    for (uint32_t worker = 0; !host_error.empty() && worker < arena_.num_workers(); ++worker) {
      const bool was_told = arena_.host(worker).exit.load(std::memory_order_relaxed) != arena::Exit::kNone;
      if (!was_told && arena::ReadLive(arena_, worker).state != arena::State::kFinished) ++dead_workers_;
    }
    collected_at_ns_ = MonotonicNs();
    MoveTo(PoolState::kCollected);
    changed_.NotifyAll();
  }
  pool_collected_();
}

void PoolCore::OnWorkerDied(uint32_t worker) {
  if (worker >= arena_.num_workers()) return;
  {
    MutexLock lock(&mutex_);
    ++dead_workers_;
  }
  v1::WorkerReport report;
  BuildReport(ContextOfReports(), worker, /*without_samples=*/true, &report);
  const std::shared_ptr<PoolCore> self = weak_from_this().lock();
  if (environment_.listener != nullptr && self != nullptr) {
    environment_.listener->OnWorkerDied(Pool(self), worker, report.exit_info());
  }
}

void PoolCore::OnHostEnded(const std::string& error) {
  bool is_lost = false;
  {
    MutexLock lock(&mutex_);
    host_ended_ = true;
    is_lost = state_ == PoolState::kReady || state_ == PoolState::kStarted || state_ == PoolState::kStopping;
  }
  if (is_lost) {
    const std::string text = error.empty() ? "the pool host ended before it was asked to" : error;
    LogWarning(absl::StrCat("pool ", id(), ": ", text));
    cgroups_.KillMade();
    AwaitStrays();
    BecomeCollected(text, host_->process().CpuTimeNs());
  }
  if (environment_.listener == nullptr) return;
  if (const std::shared_ptr<PoolCore> self = weak_from_this().lock()) {
    environment_.listener->OnPoolEnded(Pool(self), is_lost ? error : "");
  }
}

void PoolCore::AwaitStrays() {
  const Deadline deadline = Deadline::After(kStrayTimeout);
  MutexLock lock(&mutex_);
  // One that is dropped has no more use for them.
  while (!strays_.KnowsAll() && state_ != PoolState::kDropped && !deadline.Expired()) {
    changed_.WaitUntil(&mutex_, deadline.when());
  }
}

bool PoolCore::RecordStray(pid_t pid, const ProcessEnd& end) {
  MutexLock lock(&mutex_);
  if (!strays_.Record(pid, end)) return false;
  changed_.NotifyAll();
  return true;
}

bool PoolCore::is_gone() const {
  MutexLock lock(&mutex_);
  return gone_;
}

bool PoolCore::AwaitMade(Deadline deadline) {
  MutexLock lock(&mutex_);
  while (making_ && !deadline.Expired()) changed_.WaitUntil(&mutex_, deadline.when());
  return !making_;
}

bool PoolCore::Drop(Deadline deadline) {
  {
    MutexLock lock(&mutex_);
    if (dropping_) {
      while (!gone_ && !deadline.Expired()) changed_.WaitUntil(&mutex_, deadline.when());
      return false;
    }
    dropping_ = true;
    MoveTo(PoolState::kDropped);
    changed_.NotifyAll();
  }
  if (host_ != nullptr) {
    const absl::Status ended = host_->End(deadline);
    if (!ended.ok()) LogWarning(absl::StrCat("pool ", id(), ": ending the pool host: ", ended.message()));
  }
  // With what fled from its workers; a little time even when the deadline has passed.
  const Deadline rest = Deadline::After(std::max(deadline.Remaining(), environment_.limits.reap_budget));
  // What is still being made would be made after its removal; the destructor finds it.
  if (AwaitMade(rest)) cgroups_.Remove(rest);
  MutexLock lock(&mutex_);
  gone_ = true;
  changed_.NotifyAll();
  return true;
}

}  // namespace muster
