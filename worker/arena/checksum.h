// Checksum of a worker's final record: tells a complete one from one that was overwritten. Not a defence against a
// worker that forges it.
#ifndef MUSTER_WORKER_ARENA_CHECKSUM_H_
#define MUSTER_WORKER_ARENA_CHECKSUM_H_

#include <cstdint>
#include <cstring>

#include "worker/arena/layout.h"

namespace muster::arena {

// Mixes `bytes` (a multiple of 8) into `hash`: a multiplication and a shift per word, each a bijection of the hash.
inline uint64_t MixBytes(const void* data, size_t bytes, uint64_t hash) {
  for (size_t at = 0; at < bytes; at += sizeof(uint64_t)) {
    uint64_t word;
    memcpy(&word, static_cast<const std::byte*>(data) + at, sizeof(word));
    hash = (hash ^ word) * 0x9E3779B97F4A7C15;
    hash ^= hash >> 32;
  }
  return hash;
}

// Never 0, which stands for "none".
inline uint32_t RecordChecksum(const Evidence& evidence, const Final& final, const Core& core) {
  static_assert(sizeof(Evidence) % 8 == 0 && sizeof(Final) % 8 == 0 && sizeof(Core) % 8 == 0);
  uint64_t hash = MixBytes(&evidence, sizeof(evidence), 1);
  hash = MixBytes(&final, sizeof(final), hash);
  hash = MixBytes(&core, sizeof(core), hash);
  // Both halves are in the low one already.
  const uint32_t folded = static_cast<uint32_t>(hash);
  return folded == 0 ? 1 : folded;
}

}  // namespace muster::arena

#endif  // MUSTER_WORKER_ARENA_CHECKSUM_H_
