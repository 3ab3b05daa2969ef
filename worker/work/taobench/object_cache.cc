#include "worker/work/taobench/object_cache.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "worker/arena/layout.h"

namespace muster {
namespace {

// Of a thousand or so objects, how many have which size.
struct SizeClass {
  uint32_t bytes;
  uint32_t weight;
};
constexpr SizeClass kSizes[] = {{64, 450},  {128, 300}, {256, 130}, {512, 70},
                                {1024, 30}, {4096, 12}, {16384, 3}, {65536, 1}};
constexpr uint32_t kWeights = 450 + 300 + 130 + 70 + 30 + 12 + 3 + 1;

// What an object costs besides its bytes: the map's node and the place in the order of age.
constexpr uint64_t kOverheadBytes = 64;

uint64_t AverageBytes() {
  uint64_t sum = 0;
  for (const SizeClass& size : kSizes) sum += uint64_t{size.bytes} * size.weight;
  return sum / kWeights + kOverheadBytes;
}

uint64_t Touch(const char* object, uint32_t bytes) {
  uint64_t sum = 0;
  for (uint32_t at = 0; at < bytes; at += arena::kLineBytes) {
    sum += static_cast<unsigned char>(object[at]);
    asm volatile("" : "+r"(sum));
  }
  return sum;
}

std::unique_ptr<char[]> MakeObject(uint64_t key) {
  const uint32_t bytes = ObjectBytes(key);
  std::unique_ptr<char[]> object(new char[bytes]);
  memset(object.get(), static_cast<int>(key & 0xff), bytes);
  return object;
}

}  // namespace

uint32_t ObjectBytes(uint64_t key) {
  uint64_t mixed = key * 0xD6E8FEB86659FD93u;
  mixed ^= mixed >> 32;
  uint32_t draw = static_cast<uint32_t>(mixed % kWeights);
  for (const SizeClass& size : kSizes) {
    if (draw < size.weight) return size.bytes;
    draw -= size.weight;
  }
  return kSizes[0].bytes;
}

ObjectCache::ObjectCache(uint64_t capacity_bytes)
    : shard_capacity_(std::max<uint64_t>(capacity_bytes / kShards, 1)), shards_(kShards) {}

uint64_t ObjectCache::capacity_objects() const {
  return std::max<uint64_t>(shard_capacity_ * kShards / AverageBytes(), 1);
}

bool ObjectCache::Lookup(const Meter& stop, uint64_t key) {
  Shard& shard = ShardOf(key);
  if (!shard.lock.LockUnsampled(stop)) return false;
  const auto found = shard.objects.find(key);
  const bool hit = found != shard.objects.end();
  if (hit) Touch(found->second.get(), ObjectBytes(key));
  shard.lock.Unlock();
  return hit;
}

void ObjectCache::Warm() {
  for (uint64_t key = 0; key < capacity_objects(); ++key) Put(ShardOf(key), key, MakeObject(key));
}

void ObjectCache::Fill(const Meter& stop, uint64_t key) {
  std::unique_ptr<char[]> object = MakeObject(key);
  Shard& shard = ShardOf(key);
  if (!shard.lock.LockUnsampled(stop)) return;
  Put(shard, key, std::move(object));
  shard.lock.Unlock();
}

void ObjectCache::Put(Shard& shard, uint64_t key, std::unique_ptr<char[]> object) const {
  if (!shard.objects.emplace(key, std::move(object)).second) return;
  shard.by_age.push_back(key);
  shard.bytes += ObjectBytes(key) + kOverheadBytes;
  Evict(shard);
}

void ObjectCache::Evict(Shard& shard) const {
  while (shard.bytes > shard_capacity_ && !shard.by_age.empty()) {
    const uint64_t oldest = shard.by_age.front();
    shard.by_age.pop_front();
    shard.objects.erase(oldest);
    shard.bytes -= ObjectBytes(oldest) + kOverheadBytes;
  }
}

uint64_t ObjectCache::bytes() const {
  uint64_t sum = 0;
  for (const Shard& shard : shards_) sum += shard.bytes;
  return sum;
}

}  // namespace muster
