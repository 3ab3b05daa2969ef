// Strided read-modify-writes over a private buffer.
#ifndef MUSTER_WORKER_PARTS_CACHE_WALK_H_
#define MUSTER_WORKER_PARTS_CACHE_WALK_H_

#include <cstdint>
#include <cstring>

#include "absl/status/statusor.h"
#include "base/status_macros.h"
#include "worker/parts/memory_region.h"

namespace muster {

// Owns its buffer. Move-only.
class CacheWalk {
 public:
  // A buffer of size_kib KiB, written once, walked in steps of `stride` bytes. An empty buffer or a stride of 0 is a
  // walk that cannot take a step.
  static absl::StatusOr<CacheWalk> Make(uint64_t size_kib, uint64_t stride) {
    CacheWalk walk;
    if (size_kib == 0 || stride == 0) return walk;
    walk.bytes_ = size_kib * 1024;
    walk.stride_ = stride % walk.bytes_;
    ASSIGN_OR_RETURN(walk.region_, MemoryRegion::Map(walk.bytes_));
    std::memset(walk.region_.data(), 1, walk.bytes_);
    return walk;
  }

  bool can_step() const { return bytes_ != 0; }

  // n steps: each reads, changes and writes one byte and moves on by the stride, modulo the size. Needs can_step().
  [[gnu::noinline]] void Take(uint64_t n) {
    volatile uint8_t* const buffer = reinterpret_cast<volatile uint8_t*>(region_.data());
    uint64_t at = at_;
    for (; n != 0; --n) {
      buffer[at] = static_cast<uint8_t>(buffer[at] + 1);
      at += stride_;
      if (at >= bytes_) at -= bytes_;
    }
    at_ = at;
  }

  const std::byte* data() const { return region_.data(); }

 private:
  CacheWalk() = default;

  MemoryRegion region_;
  uint64_t bytes_ = 0;
  uint64_t stride_ = 0;
  uint64_t at_ = 0;
};

}  // namespace muster

#endif  // MUSTER_WORKER_PARTS_CACHE_WALK_H_
