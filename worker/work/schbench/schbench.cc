// Message threads and worker threads as schbench has them: workers queue at a message thread and sleep, it posts them,
// and each serves a request. Wake samples are wake-up latencies, cost samples are request latencies.
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/file_io.h"
#include "base/status_macros.h"
#include "worker/core/work_type.h"
#include "worker/parts/engine.h"
#include "worker/parts/futex.h"
#include "worker/parts/futex_lock.h"
#include "worker/parts/matrix.h"
#include "worker/parts/memory_region.h"
#include "worker/work/schbench/auto_rate.h"

namespace muster {
namespace {

// A worker thread as its message thread sees it.
struct Waiter {
  Waiter* next = nullptr;
  std::atomic<uint32_t> posted{0};
  std::atomic<uint64_t> posted_at_ns{0};
  MemoryRegion transfer;  // what both sides write, the one that has the turn
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

// What a message thread writes before it posts a worker, and the worker before it queues.
constexpr int kFromDesk = 1;
constexpr int kFromWorker = 2;

constexpr uint64_t kAutoRatePeriodNs = 1'000'000'000;
// Longest sleep with one rate, where the rate changes.
constexpr uint64_t kPaceSliceNs = 100'000'000;

class SchbenchStep final : public EngineStep {
 public:
  explicit SchbenchStep(const v1::Schbench& params)
      : params_(params),
        rate_(params.auto_rps() != 0 && params.requests_per_sec() == 0 ? kFirstAutoRate : params.requests_per_sec()) {}
  ~SchbenchStep() override { JoinThreads(); }

 private:
  // A worker thread.
  struct Server {
    Waiter waiter;
    std::optional<MatrixWork> own;
  };

  bool pipe_mode() const { return params_.pipe_transfer_bytes() != 0; }

  absl::Status Begin(EngineMeter* shared, EngineThreads* threads) override {
    const uint32_t per_desk = params_.worker_threads() != 0 ? params_.worker_threads() : OwnCpuCount();
    cpu_locks_ = std::vector<FutexLock>(arena::kMaxCpuId + 1);
    ASSIGN_OR_RETURN(common_, Matrices(100 - params_.split_percent()));
    if (params_.auto_rps() != 0) RETURN_IF_ERROR(StartControl(shared, threads));
    for (uint32_t i = 0; i < params_.message_threads(); ++i) {
      Desk& desk = desks_.emplace_back();
      RETURN_IF_ERROR(threads->Start([this, shared, &desk] { Post(shared, desk); }));
      for (uint32_t k = 0; k < per_desk; ++k) {
        Server& server = *servers_.emplace_back(std::make_unique<Server>());
        ASSIGN_OR_RETURN(server.own, Matrices(params_.split_percent()));
        if (pipe_mode()) {
          ASSIGN_OR_RETURN(server.waiter.transfer, MemoryRegion::Map(params_.pipe_transfer_bytes()));
        }
        RETURN_IF_ERROR(threads->Start([this, shared, &desk, &server] { Serve(shared, desk, server); }));
      }
    }
    return absl::OkStatus();
  }

  // None for a share below a KiB, and where nobody multiplies.
  absl::StatusOr<std::optional<MatrixWork>> Matrices(uint64_t percent) const {
    const uint64_t kib = params_.cache_footprint_kib() * percent / 100;
    if (kib == 0 || pipe_mode()) return std::nullopt;
    ASSIGN_OR_RETURN(MatrixWork matrices, MatrixWork::Make(kib));
    return matrices;
  }

  // The thread that changes the rate.
  absl::Status StartControl(EngineMeter* shared, EngineThreads* threads) {
    ASSIGN_OR_RETURN(CpuSet cpus, GetAffinity(0));
    AutoRate control(params_.auto_rps(), std::move(cpus), static_cast<double>(rate_.load(std::memory_order_relaxed)));
    return threads->Start([this, shared, control]() mutable {
      do {
        const absl::StatusOr<std::string> stat = ReadFile("/proc/stat");
        // A machine whose times cannot be read keeps the rate that it has.
        if (stat.ok() && control.EndPeriod(*stat).ok()) {
          rate_.store(static_cast<uint64_t>(control.rate()), std::memory_order_relaxed);
        }
      } while (SleepFor(shared->stop(), kAutoRatePeriodNs));
    });
  }

  // The message thread: takes all that wait and posts each, with one time stamp for all where nothing comes between
  // them.
  void Post(EngineMeter* shared, Desk& desk) {
    const bool paced = rate_.load(std::memory_order_relaxed) != 0;
    uint64_t turn_ns = MonotonicNs();
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
        if (paced && !Pace(shared, &turn_ns)) return;
        if (pipe_mode()) std::memset(waiter->transfer.data(), kFromDesk, params_.pipe_transfer_bytes());
        waiter->posted_at_ns.store(paced || pipe_mode() ? MonotonicNs() : now_ns, std::memory_order_relaxed);
        waiter->posted.store(1, std::memory_order_release);
        arena::FutexWake(&waiter->posted, 1);
      }
    }
  }

  // Sleeps until a message thread's next turn. Requests that nobody was free to take are not made up for.
  bool Pace(EngineMeter* shared, uint64_t* turn_ns) {
    for (bool slept = false;; slept = true) {
      const uint64_t rate = rate_.load(std::memory_order_relaxed);
      const uint64_t due_ns = *turn_ns + 1'000'000'000 * params_.message_threads() / rate;
      const uint64_t now_ns = MonotonicNs();
      if (due_ns <= now_ns) {
        *turn_ns = slept ? due_ns : now_ns;
        return true;
      }
      if (!SleepUntil(shared->stop(), std::min(due_ns, now_ns + kPaceSliceNs))) return false;
    }
  }

  void Serve(EngineMeter* shared, Desk& desk, Server& server) {
    EngineLog log(shared);
    while (!shared->stopping()) {
      if (pipe_mode()) std::memset(server.waiter.transfer.data(), kFromWorker, params_.pipe_transfer_bytes());
      Queue(desk, server.waiter);
      if (!FutexWaitWhile(shared->stop(), server.waiter.posted, 0)) return;
      const uint64_t woken_ns = MonotonicNs();
      const uint64_t posted_ns = server.waiter.posted_at_ns.load(std::memory_order_relaxed);
      if (woken_ns > posted_ns) log.Add(arena::kWake, woken_ns - posted_ns, woken_ns);
      if (!pipe_mode() && !ServeRequest(shared, server)) return;
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
    const auto stopping = [shared] { return shared->stopping(); };
    for (uint64_t i = 0; i < params_.operations(); ++i) {
      if (server.own.has_value() && !server.own->Multiply(stopping)) return false;
      if (common_.has_value() && !common_->MultiplyShared(stopping)) return false;
    }
    return true;
  }

  const v1::Schbench params_;
  std::atomic<uint64_t> rate_;  // requests per second of all message threads; 0: not paced
  std::deque<Desk> desks_;
  std::vector<std::unique_ptr<Server>> servers_;
  std::vector<FutexLock> cpu_locks_;
  std::optional<MatrixWork> common_;
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
