// A sharded in-memory cache of objects of mixed sizes.
#ifndef MUSTER_WORKER_WORK_TAOBENCH_OBJECT_CACHE_H_
#define MUSTER_WORKER_WORK_TAOBENCH_OBJECT_CACHE_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "worker/meter/meter.h"
#include "worker/parts/futex_lock.h"

namespace muster {

// Bytes of the object of a key: always the same, 64 to 65,536, most of them small.
uint32_t ObjectBytes(uint64_t key);

// Evicts the oldest first. Thread-safe; a call that has to wait for a shard when the pool stops does nothing.
class ObjectCache {
 public:
  explicit ObjectCache(uint64_t capacity_bytes);

  // Objects of average size that fit.
  uint64_t capacity_objects() const;

  // Puts the keys from 0 on in until it is full. Before there is a second thread.
  void Warm();

  // Reads all of the object when it is there.
  bool Lookup(const Meter& stop, uint64_t key);
  // Puts it in, unless somebody else has by now.
  void Fill(const Meter& stop, uint64_t key);

  uint64_t bytes() const;

 private:
  static constexpr uint64_t kShards = 256;
  struct Shard {
    FutexLock lock{};
    std::unordered_map<uint64_t, std::unique_ptr<char[]>> objects;
    std::deque<uint64_t> by_age;
    uint64_t bytes = 0;
  };

  static uint64_t Spread(uint64_t key) { return key * 0x9E3779B97F4A7C15u; }
  Shard& ShardOf(uint64_t key) { return shards_[Spread(key) >> 56]; }
  // With the shard's lock held.
  void Put(Shard& shard, uint64_t key, std::unique_ptr<char[]> object) const;
  void Evict(Shard& shard) const;

  const uint64_t shard_capacity_;
  std::vector<Shard> shards_;
};

}  // namespace muster

#endif  // MUSTER_WORKER_WORK_TAOBENCH_OBJECT_CACHE_H_
