// A look-aside cache: clients look keys up, a hit is served from memory, a miss by slow threads that sleep, fill the
// cache and wake the client. Cost samples are the latencies of all lookups, wake samples those of the misses among
// them.
#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "worker/core/work_type.h"
#include "worker/parts/engine.h"
#include "worker/parts/futex.h"
#include "worker/parts/memory_region.h"
#include "worker/parts/shared_queue.h"
#include "worker/work/taobench/object_cache.h"
#include "worker/work/taobench/slow_path.h"

namespace muster {
namespace {

class TaobenchStep final : public EngineStep {
 public:
  TaobenchStep(const v1::Taobench& params, uint64_t seed)
      : params_(params),
        seed_(seed),
        slow_path_(params.slow_path_sleep_us(), params.slow_path_p99_us()),
        cache_(params.cache_capacity_mib() << 20),
        keys_(cache_.capacity_objects() * 100 / params.target_hit_pct()) {
    cache_.Warm();
  }
  ~TaobenchStep() override { JoinThreads(); }

 private:
  // A client as the slow threads see it. Outlives all threads.
  struct alignas(arena::kLineBytes) Client {
    uint64_t key = 0;
    std::atomic<uint32_t> served{0};
  };

  absl::Status Begin(EngineMeter* shared, EngineThreads* threads) override {
    const uint32_t clients = params_.client_threads() != 0 ? params_.client_threads() : OwnCpuCount();
    const uint32_t slow = params_.slow_threads() != 0 ? params_.slow_threads() : std::max(1u, clients / 3);
    ASSIGN_OR_RETURN(queue_memory_, MemoryRegion::Map(SharedQueue::BytesFor(clients)));
    queue().set_depth(clients);
    clients_ = std::vector<Client>(clients);
    for (uint32_t i = 0; i < slow; ++i) RETURN_IF_ERROR(threads->Start([this, shared, i] { ServeMisses(shared, i); }));
    for (uint32_t i = 0; i < clients; ++i) RETURN_IF_ERROR(threads->Start([this, shared, i] { LookUp(shared, i); }));
    return absl::OkStatus();
  }

  SharedQueue& queue() { return *reinterpret_cast<SharedQueue*>(queue_memory_.data()); }

  // A client. With an arrival rate each lookup counts from when it was due, also when the one before it was late.
  void LookUp(EngineMeter* shared, uint32_t index) {
    EngineLog log(shared);
    uint64_t random = RandomBegin(seed_, index);
    const uint64_t interval_ns = params_.arrival_rate() == 0
                                     ? 0
                                     : std::max<uint64_t>(1, 1'000'000'000 * clients_.size() / params_.arrival_rate());
    uint64_t asked_ns = MonotonicNs();
    while (!shared->stopping()) {
      const uint64_t key = NextRandom(random) % keys_;
      const bool hit = cache_.Lookup(shared->stop(), key);
      if (!hit && !WaitForMiss(shared, index, key)) return;
      const uint64_t now_ns = MonotonicNs();
      const uint64_t took_ns = now_ns > asked_ns ? now_ns - asked_ns : 0;
      log.CountUnit();
      log.Add(arena::kCost, took_ns, now_ns);
      if (!hit) log.Add(arena::kWake, took_ns, now_ns);
      asked_ns = interval_ns == 0 ? now_ns : asked_ns + interval_ns;
      if (interval_ns != 0 && asked_ns > now_ns && !SleepUntil(shared->stop(), asked_ns)) return;
    }
  }

  bool WaitForMiss(EngineMeter* shared, uint32_t index, uint64_t key) {
    Client& client = clients_[index];
    client.key = key;
    client.served.store(0, std::memory_order_relaxed);
    // There is a place for every client.
    if (!queue().Push(index)) return false;
    misses_.fetch_add(1, std::memory_order_release);
    arena::FutexWake(&misses_, 1);
    return FutexWaitWhile(shared->stop(), client.served, 0);
  }

  // A slow thread.
  void ServeMisses(EngineMeter* shared, uint32_t slow_thread) {
    uint64_t random = RandomBegin(~seed_, slow_thread);
    while (!shared->stopping()) {
      const uint32_t seen = misses_.load(std::memory_order_acquire);
      uint64_t index = 0;
      if (!queue().Pop(&index)) {
        (void)FutexWaitWhile(shared->stop(), misses_, seen);
        continue;
      }
      if (!SleepFor(shared->stop(), slow_path_.SleepNs(NextRandom(random)))) return;
      Client& client = clients_[index];
      cache_.Fill(shared->stop(), client.key);
      client.served.store(1, std::memory_order_release);
      arena::FutexWake(&client.served, 1);
    }
  }

  const v1::Taobench params_;
  const uint64_t seed_;
  const SlowPath slow_path_;
  ObjectCache cache_;
  const uint64_t keys_;
  MemoryRegion queue_memory_;
  std::vector<Client> clients_;
  std::atomic<uint32_t> misses_{0};
};

class TaobenchType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "A look-aside cache whose misses go to slow threads: fast and slow paths side by side.",
            .units_per_iteration = "lookups answered in 100 ms"};
  }
  uint32_t Streams(const v1::Work&) const override { return kWakeSamples | kCostSamples; }
  absl::Duration DrainBound(const v1::Work&) const override { return kEngineDrainBound; }
  absl::Status Validate(const v1::Work& work) const override {
    const uint64_t p99_us = work.taobench().slow_path_p99_us();
    const uint64_t least_us = work.taobench().slow_path_sleep_us();
    if (p99_us == 0 || (least_us != 0 && p99_us > least_us)) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("slow_path_p99_us: ", p99_us, " goes with a slow_path_sleep_us from 1 to ", p99_us - 1,
                     ", the least sleep, and not with ", least_us, "; use 0 for sleeps that are all alike"));
  }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace& place,
                                                 Plumbing&) const override {
    return std::make_unique<TaobenchStep>(work.taobench(), place.seed);
  }
};

MUSTER_WORK_TYPE(kTaobench, TaobenchType);

}  // namespace
}  // namespace muster
