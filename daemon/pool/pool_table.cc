#include "daemon/pool/pool_table.h"

#include <algorithm>
#include <map>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/clock.h"
#include "base/error_detail.h"
#include "base/log.h"
#include "base/make_thread.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "daemon/pool/admission.h"
#include "daemon/pool/left_cgroups.h"
#include "daemon/pool/pool_core.h"
#include "worker/arena/arena.h"

namespace muster {
namespace {

// For a cgroup that could not be removed before: others wait meanwhile.
constexpr absl::Duration kRetryTimeout = absl::Seconds(1);

}  // namespace

class PoolTable::Impl {
 public:
  explicit Impl(PoolEnvironment environment)
      : environment_(std::move(environment)), left_cgroups_(environment_.cgroups) {}
  ~Impl() {
    Close(Deadline::After(2 * environment_.limits.reap_budget));
    {
      MutexLock lock(&mutex_);
      ending_ = true;
      changed_.NotifyAll();
    }
    if (retention_.joinable()) retention_.join();
  }

  // Called once, first.
  absl::Status StartRetention() {
    ASSIGN_OR_RETURN(retention_, MakeThread("the retention of reports", [this] { RunRetention(); }));
    return absl::OkStatus();
  }

  absl::StatusOr<Pool> Spawn(const v1::WorkloadSpec& spec, const PoolLabels& labels, Deadline deadline);
  absl::StatusOr<Pool> Find(absl::string_view id) const;
  absl::Status Confirm(absl::string_view id, Deadline deadline);
  bool Drop(absl::string_view id, Deadline deadline);
  int DropLease(absl::string_view lease_id, Deadline deadline);
  std::vector<PoolInfo> List() const;
  void Close(Deadline deadline);
  void RecordStray(pid_t pid, const ProcessEnd& end);

 private:
  using CorePtr = std::shared_ptr<PoolCore>;

  absl::StatusOr<CorePtr> Admit(const v1::WorkloadSpec& spec, const PoolLabels& labels);
  absl::Status CheckTotals(const std::vector<arena::WorkerShape>& shapes) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // A pool of which nothing is left. Another thread that still drops it forgets it afterwards.
  void Forget(const PoolCore& core);
  // Drops pools at the same time and forgets them.
  void DropAll(const std::vector<std::pair<uint64_t, CorePtr>>& pools, Deadline deadline);
  // The thread that drops collected pools nobody has confirmed in time, and removes cgroups that could not be before.
  void RunRetention();
  std::vector<std::pair<uint64_t, CorePtr>> Overdue(uint64_t* next_ns) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // At the latest in an hour.
  uint64_t NextRetry() const { return std::min(left_cgroups_.next_ns(), MonotonicNs() + 3'600'000'000'000); }
  void Wake() {
    MutexLock lock(&mutex_);
    changed_.NotifyAll();
  }

  // "p7" is 7; 0 for what is no id of a pool.
  static uint64_t NumberOf(absl::string_view id) {
    uint64_t number = 0;
    return absl::ConsumePrefix(&id, "p") && absl::SimpleAtoi(id, &number) ? number : 0;
  }

  const PoolEnvironment environment_;
  LeftCgroups left_cgroups_;
  mutable Mutex mutex_;
  CondVar changed_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t last_number_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, CorePtr> pools_ ABSL_GUARDED_BY(mutex_);
  std::thread retention_;
};

absl::Status PoolTable::Impl::CheckTotals(const std::vector<arena::WorkerShape>& shapes) const {
  const Limits& limits = environment_.limits;
  if (static_cast<int64_t>(pools_.size()) >= limits.max_pools) {
    return LimitError("max_pools", limits.max_pools, "there are as many pools as may be; drop or confirm one");
  }
  const uint64_t arena_bytes = arena::ArenaBytes(shapes);
  if (arena_bytes > static_cast<uint64_t>(limits.max_arena_bytes)) {
    return LimitError("max_arena_bytes", limits.max_arena_bytes,
                      absl::StrCat("the workers' records and samples take ", arena_bytes,
                                   " bytes; ask for fewer workers or a smaller max_samples"));
  }
  uint64_t workers = shapes.size(), bytes = arena_bytes;
  for (const auto& [number, core] : pools_) {
    workers += core->shapes().size();
    bytes += arena::ArenaBytes(core->shapes());
  }
  if (workers > static_cast<uint64_t>(limits.max_total_workers)) {
    return LimitError("max_total_workers", limits.max_total_workers,
                      absl::StrCat("all pools together would have ", workers, " workers; drop a pool first"));
  }
  if (bytes > static_cast<uint64_t>(limits.max_total_arena_bytes)) {
    return LimitError("max_total_arena_bytes", limits.max_total_arena_bytes,
                      absl::StrCat("all pools together would take ", bytes,
                                   " bytes for records and samples; drop a pool, or ask for a smaller max_samples"));
  }
  return absl::OkStatus();
}

absl::StatusOr<PoolTable::Impl::CorePtr> PoolTable::Impl::Admit(const v1::WorkloadSpec& spec,
                                                                const PoolLabels& labels) {
  ASSIGN_OR_RETURN(ResolvedSpec resolved, ValidateAndResolve(spec, environment_));
  ASSIGN_OR_RETURN(std::vector<arena::WorkerShape> shapes, ShapesOf(resolved, *environment_.catalogue));
  MutexLock lock(&mutex_);
  if (closed_) return absl::UnavailableError("the daemon is shutting down and takes no more work");
  RETURN_IF_ERROR(CheckTotals(shapes));
  int64_t cgroups = resolved.spec.cgroups_size();
  for (const auto& [number, core] : pools_) cgroups += core->resolved().spec.cgroups_size();
  RETURN_IF_ERROR(CheckCgroups(cgroups, environment_));
  const uint64_t number = ++last_number_;
  CorePtr core = std::make_shared<PoolCore>(
      PoolCore::Identity{absl::StrCat("p", number), labels, std::move(resolved), std::move(shapes)}, &environment_,
      PoolCore::Hooks{[this] { Wake(); },
                      [this](const std::string& name) {
                        left_cgroups_.Add(name);
                        Wake();
                      }});
  pools_[number] = core;
  return core;
}

absl::StatusOr<Pool> PoolTable::Impl::Spawn(const v1::WorkloadSpec& spec, const PoolLabels& labels, Deadline deadline) {
  ASSIGN_OR_RETURN(const CorePtr core, Admit(spec, labels));
  const absl::Status spawned = core->Spawn(deadline);
  if (!spawned.ok()) {
    Forget(*core);
    return spawned;
  }
  return Pool(core);
}

void PoolTable::Impl::Forget(const PoolCore& core) {
  if (!core.is_gone()) return;
  MutexLock lock(&mutex_);
  pools_.erase(NumberOf(core.id()));
}

absl::StatusOr<Pool> PoolTable::Impl::Find(absl::string_view id) const {
  MutexLock lock(&mutex_);
  const auto found = pools_.find(NumberOf(id));
  if (found == pools_.end()) return absl::NotFoundError(absl::StrCat("there is no pool ", id));
  return Pool(found->second);
}

absl::Status PoolTable::Impl::Confirm(absl::string_view id, Deadline deadline) {
  const uint64_t number = NumberOf(id);
  CorePtr core;
  {
    MutexLock lock(&mutex_);
    if (number == 0 || number > last_number_) return absl::NotFoundError(absl::StrCat("there never was a pool ", id));
    const auto found = pools_.find(number);
    if (found == pools_.end()) return absl::OkStatus();
    core = found->second;
  }
  if (core->state() != PoolState::kCollected && core->state() != PoolState::kDropped) {
    return PreconditionError(
        {"POOL_STATE", core->id()},
        absl::StrCat("the reports of pool ", id, " have not been collected; StopAndCollect comes first"));
  }
  DropAll({{number, core}}, deadline);
  return absl::OkStatus();
}

bool PoolTable::Impl::Drop(absl::string_view id, Deadline deadline) {
  const uint64_t number = NumberOf(id);
  CorePtr core;
  {
    MutexLock lock(&mutex_);
    const auto found = pools_.find(number);
    if (found == pools_.end()) return false;
    core = found->second;
  }
  const bool dropped = core->Drop(deadline);
  Forget(*core);
  return dropped;
}

void PoolTable::Impl::DropAll(const std::vector<std::pair<uint64_t, CorePtr>>& pools, Deadline deadline) {
  std::vector<std::thread> threads;
  // One after the other on this thread: the first, and those for which no thread can be made.
  std::vector<PoolCore*> here;
  for (const auto& [number, core] : pools) {
    absl::StatusOr<std::thread> thread = absl::UnknownError("not wanted");
    if (!here.empty()) thread = MakeThread("dropping a pool", [core = core.get(), deadline] { core->Drop(deadline); });
    if (thread.ok()) {
      threads.push_back(*std::move(thread));
    } else {
      here.push_back(core.get());
    }
  }
  for (PoolCore* core : here) core->Drop(deadline);
  for (std::thread& thread : threads) thread.join();
  for (const auto& [number, core] : pools) Forget(*core);
}

int PoolTable::Impl::DropLease(absl::string_view lease_id, Deadline deadline) {
  std::vector<std::pair<uint64_t, CorePtr>> owned;
  {
    MutexLock lock(&mutex_);
    for (const auto& [number, core] : pools_) {
      const PoolLabels labels = core->labels();
      if (labels.lease_id != lease_id) continue;
      if (labels.detached) {
        core->ForgetLease();
      } else {
        owned.emplace_back(number, core);
      }
    }
  }
  DropAll(owned, deadline);
  return static_cast<int>(owned.size());
}

std::vector<PoolInfo> PoolTable::Impl::List() const {
  std::vector<CorePtr> cores;
  {
    MutexLock lock(&mutex_);
    for (const auto& [number, core] : pools_) cores.push_back(core);
  }
  std::vector<PoolInfo> list;
  for (const CorePtr& core : cores) {
    PoolInfo info = core->Info();
    if (info.state != PoolState::kDropped) list.push_back(std::move(info));
  }
  return list;
}

void PoolTable::Impl::Close(Deadline deadline) {
  std::vector<std::pair<uint64_t, CorePtr>> all;
  {
    MutexLock lock(&mutex_);
    closed_ = true;
    all.assign(pools_.begin(), pools_.end());
  }
  DropAll(all, deadline);
}

void PoolTable::Impl::RecordStray(pid_t pid, const ProcessEnd& end) {
  std::vector<CorePtr> cores;
  {
    MutexLock lock(&mutex_);
    for (const auto& [number, core] : pools_) cores.push_back(core);
  }
  for (const CorePtr& core : cores) {
    if (core->RecordStray(pid, end)) return;
  }
}

std::vector<std::pair<uint64_t, PoolTable::Impl::CorePtr>> PoolTable::Impl::Overdue(uint64_t* next_ns) const {
  const uint64_t retention_ns = absl::ToInt64Nanoseconds(environment_.limits.report_retention);
  const uint64_t now_ns = MonotonicNs();
  std::vector<std::pair<uint64_t, CorePtr>> overdue, waiting;
  for (const auto& [number, core] : pools_) {
    const uint64_t since_ns = core->collected_at_ns();
    if (since_ns == 0) continue;
    if (since_ns + retention_ns <= now_ns) {
      overdue.emplace_back(number, core);
    } else {
      waiting.emplace_back(number, core);
      *next_ns = std::min(*next_ns, since_ns + retention_ns);
    }
  }
  std::sort(waiting.begin(), waiting.end(),
            [](const auto& a, const auto& b) { return a.second->collected_at_ns() < b.second->collected_at_ns(); });
  const size_t most = environment_.limits.max_retained_pools;
  if (waiting.size() > most) overdue.insert(overdue.end(), waiting.begin(), waiting.end() - most);
  return overdue;
}

void PoolTable::Impl::RunRetention() {
  while (true) {
    std::vector<std::pair<uint64_t, CorePtr>> overdue;
    {
      MutexLock lock(&mutex_);
      uint64_t next_ns = NextRetry();
      while (!ending_ && (overdue = Overdue(&next_ns)).empty() && left_cgroups_.next_ns() > MonotonicNs()) {
        changed_.WaitUntil(&mutex_, SteadyDeadline(absl::Nanoseconds(next_ns - std::min(next_ns, MonotonicNs()))));
        next_ns = NextRetry();
      }
      if (ending_) return;
    }
    for (const auto& [number, core] : overdue) {
      LogWarning(absl::StrCat("pool ", core->id(), ": its reports were not confirmed in time and are dropped"));
    }
    DropAll(overdue, Deadline::After(environment_.limits.reap_budget));
    if (left_cgroups_.next_ns() <= MonotonicNs()) left_cgroups_.Retry(kRetryTimeout);
  }
}

absl::StatusOr<std::unique_ptr<PoolTable>> PoolTable::Start(PoolEnvironment environment) {
  auto impl = std::make_unique<Impl>(std::move(environment));
  RETURN_IF_ERROR(impl->StartRetention());
  return std::unique_ptr<PoolTable>(new PoolTable(std::move(impl)));
}

PoolTable::PoolTable(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PoolTable::~PoolTable() = default;

absl::StatusOr<Pool> PoolTable::Spawn(const v1::WorkloadSpec& spec, const PoolLabels& labels, Deadline deadline) {
  return impl_->Spawn(spec, labels, deadline);
}
absl::StatusOr<Pool> PoolTable::Find(absl::string_view id) const { return impl_->Find(id); }
absl::Status PoolTable::Confirm(absl::string_view id, Deadline deadline) { return impl_->Confirm(id, deadline); }
bool PoolTable::Drop(absl::string_view id, Deadline deadline) { return impl_->Drop(id, deadline); }
int PoolTable::DropLease(absl::string_view lease_id, Deadline deadline) { return impl_->DropLease(lease_id, deadline); }
std::vector<PoolInfo> PoolTable::List() const { return impl_->List(); }
void PoolTable::Close(Deadline deadline) { impl_->Close(deadline); }
void PoolTable::RecordStray(pid_t pid, const ProcessEnd& end) { impl_->RecordStray(pid, end); }

}  // namespace muster
