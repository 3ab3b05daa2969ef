// Message threads and worker threads as schbench has them: workers queue at a message thread and sleep, it posts them,
// and each serves a request. Wake samples are wake-up latencies, cost samples are request latencies.
#include <sched.h>

#include <atomic>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "worker/core/work_type.h"
#include "worker/parts/engine.h"
#include "worker/parts/futex.h"
#include "worker/parts/futex_lock.h"
#include "worker/parts/matrix.h"

namespace muster {
namespace {

// A worker thread as its message thread sees it.
struct Waiter {
  Waiter* next = nullptr;
  std::atomic<uint32_t> posted{0};
  std::atomic<uint64_t> posted_at_ns{0};
};

// A message thread as its workers see it: a stack of those that wait, and a bell.
struct Desk {
  std::atomic<Waiter*> waiting{nullptr};
  std::atomic<uint32_t> bell{0};
};

void Queue(Desk& desk, Waiter& waiter) {
  waiter.posted.store(0, std::memory_order_relaxed);
  waiter.next = desk.waiting.load(std::memory_order_relaxed);
  // Release: the message thread sees the waiter complete.
  while (!desk.waiting.compare_exchange_weak(waiter.next, &waiter, std::memory_order_release)) {
  }
  desk.bell.fetch_add(1, std::memory_order_release);
  arena::FutexWake(&desk.bell, 1);
}

class SchbenchStep final : public EngineStep {
 public:
  explicit SchbenchStep(const v1::Schbench& params) : params_(params) {}
  ~SchbenchStep() override { JoinThreads(); }

 private:
  // A worker thread.
  struct Server {
    explicit Server(MatrixWork work) : matrices(std::move(work)) {}

    Waiter waiter;
    MatrixWork matrices;
  };

  absl::Status Begin(EngineMeter* shared, EngineThreads* threads) override {
    const uint32_t per_desk = params_.worker_threads() != 0 ? params_.worker_threads() : OwnCpuCount();
    cpu_locks_ = std::vector<FutexLock>(arena::kMaxCpuId + 1);
    for (uint32_t i = 0; i < params_.message_threads(); ++i) {
      Desk& desk = desks_.emplace_back();
      RETURN_IF_ERROR(threads->Start([this, shared, &desk] { Post(shared, desk); }));
      for (uint32_t k = 0; k < per_desk; ++k) {
        ASSIGN_OR_RETURN(MatrixWork matrices, MatrixWork::Make(params_.cache_footprint_kib()));
        servers_.push_back(std::make_unique<Server>(std::move(matrices)));
        Server& server = *servers_.back();
        RETURN_IF_ERROR(threads->Start([this, shared, &desk, &server] { Serve(shared, desk, server); }));
      }
    }
    return absl::OkStatus();
  }

  // The message thread: takes all that wait and posts each, with one time stamp for all where nothing paces them.
  void Post(EngineMeter* shared, Desk& desk) {
    const uint64_t rate = params_.requests_per_sec();
    const uint64_t interval_ns = rate == 0 ? 0 : 1'000'000'000 * params_.message_threads() / rate;
    uint64_t due_ns = MonotonicNs();
    while (!shared->stopping()) {
      const uint32_t bell = desk.bell.load(std::memory_order_acquire);
      Waiter* waiter = desk.waiting.exchange(nullptr, std::memory_order_acquire);
      if (waiter == nullptr) {
        (void)FutexWaitWhile(shared->stop(), desk.bell, bell);
        continue;
      }
      const uint64_t now_ns = MonotonicNs();
      // A worker may queue again as soon as it is posted, so its link is read before.
      for (Waiter* next = nullptr; waiter != nullptr; waiter = next) {
        next = waiter->next;
        if (interval_ns != 0 && !Pace(shared, interval_ns, &due_ns)) return;
        waiter->posted_at_ns.store(interval_ns == 0 ? now_ns : MonotonicNs(), std::memory_order_relaxed);
        waiter->posted.store(1, std::memory_order_release);
        arena::FutexWake(&waiter->posted, 1);
      }
    }
  }

  // Requests that nobody was free to take are not made up for.
  static bool Pace(EngineMeter* shared, uint64_t interval_ns, uint64_t* due_ns) {
    *due_ns = std::max(*due_ns + interval_ns, MonotonicNs());
    return SleepUntil(shared->stop(), *due_ns);
  }

  void Serve(EngineMeter* shared, Desk& desk, Server& server) {
    EngineLog log(shared);
    while (!shared->stopping()) {
      Queue(desk, server.waiter);
      if (!FutexWaitWhile(shared->stop(), server.waiter.posted, 0)) return;
      const uint64_t woken_ns = MonotonicNs();
      const uint64_t posted_ns = server.waiter.posted_at_ns.load(std::memory_order_relaxed);
      if (woken_ns > posted_ns) log.Add(arena::kWake, woken_ns - posted_ns, woken_ns);
      if (!ServeRequest(shared, server)) return;
      const uint64_t done_ns = MonotonicNs();
      log.CountUnit();
      log.Add(arena::kCost, done_ns - woken_ns, done_ns);
    }
  }

  // Thinks, then multiplies with the CPU's lock held, so that a thread that is preempted there holds up its successor.
  bool ServeRequest(EngineMeter* shared, Server& server) {
    const uint64_t think_ns = params_.sleep_usec() * 1000;
    if (think_ns != 0 && !SleepFor(shared->stop(), think_ns)) return false;
    if (params_.skip_locking()) return Multiply(shared, server);
    FutexLock& lock = cpu_locks_[static_cast<size_t>(sched_getcpu()) % cpu_locks_.size()];
    if (!lock.LockUnsampled(shared->stop())) return false;
    const bool whole = Multiply(shared, server);
    lock.Unlock();
    return whole;
  }

  bool Multiply(EngineMeter* shared, Server& server) {
    for (uint64_t i = 0; i < params_.operations(); ++i) {
      if (!server.matrices.Multiply([shared] { return shared->stopping(); })) return false;
    }
    return true;
  }

  const v1::Schbench params_;
  std::deque<Desk> desks_;
  std::vector<std::unique_ptr<Server>> servers_;
  std::vector<FutexLock> cpu_locks_;
};

class SchbenchType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "Message threads that post worker threads, which serve requests: wake-up and request latency.",
            .units_per_iteration = "requests served in 100 ms"};
  }
  uint32_t Streams(const v1::Work&) const override { return kWakeSamples | kCostSamples; }
  absl::Duration DrainBound(const v1::Work&) const override { return kEngineDrainBound; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace&, Plumbing&) const override {
    return std::make_unique<SchbenchStep>(work.schbench());
  }
};

MUSTER_WORK_TYPE(kSchbench, SchbenchType);

}  // namespace
}  // namespace muster
