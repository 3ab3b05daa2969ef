// Private memory that a step works on.
#ifndef MUSTER_WORKER_PARTS_MEMORY_REGION_H_
#define MUSTER_WORKER_PARTS_MEMORY_REGION_H_

#include <cstddef>
#include <utility>

#include "absl/status/statusor.h"

namespace muster {

// An anonymous private mapping; unmaps when destroyed. Move-only; a moved-from region maps nothing.
class MemoryRegion {
 public:
  // Maps at least `bytes`, rounded up to pages, zeroed and without huge pages; nothing is resident yet.
  // RESOURCE_EXHAUSTED when the address space or the memory is not to be had.
  static absl::StatusOr<MemoryRegion> Map(size_t bytes);

  MemoryRegion() = default;
  MemoryRegion(MemoryRegion&& other) noexcept
      : base_(std::exchange(other.base_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  MemoryRegion& operator=(MemoryRegion&& other) noexcept {
    std::swap(base_, other.base_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~MemoryRegion();

  std::byte* data() const { return base_; }
  size_t size() const { return bytes_; }
  size_t pages() const;

  // Gives every resident page back; the next access finds zeros.
  void DropPages();

 private:
  MemoryRegion(std::byte* base, size_t bytes) : base_(base), bytes_(bytes) {}

  std::byte* base_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace muster

#endif  // MUSTER_WORKER_PARTS_MEMORY_REGION_H_
