// Naive matrix multiplication: work whose speed depends on how much of the cache it keeps.
#ifndef MUSTER_WORKER_PARTS_MATRIX_H_
#define MUSTER_WORKER_PARTS_MATRIX_H_

#include <atomic>
#include <cmath>
#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"
#include "base/status_macros.h"
#include "worker/parts/memory_region.h"

namespace muster {

// Three square matrices of uint64_t. Move-only.
class MatrixWork {
 public:
  // As large as fit into footprint_kib KiB together: 104 by 104 at 256.
  static absl::StatusOr<MatrixWork> Make(uint64_t footprint_kib) {
    const uint64_t side =
        static_cast<uint64_t>(std::sqrt(static_cast<double>(footprint_kib * 1024 / 3 / sizeof(uint64_t))));
    ASSIGN_OR_RETURN(MemoryRegion region, MemoryRegion::Map(3 * side * side * sizeof(uint64_t)));
    MatrixWork work(std::move(region), side);
    for (uint64_t i = 0; i < 2 * side * side; ++i) work.cells()[i] = i;
    return work;
  }

  uint64_t side() const { return side_; }
  // Element of the product.
  uint64_t product(uint64_t row, uint64_t column) const { return cells()[2 * side_ * side_ + row * side_ + column]; }

  // Multiplies the first two into the third, element by element: `stopping()` may end it between two; false then.
  template <typename Stopping>
  bool Multiply(const Stopping& stopping) {
    for (uint64_t row = 0; row < side_; ++row) {
      if (!MultiplyRow(row, stopping)) return false;
    }
    return true;
  }

  // The same for several threads at once on the same matrices. Every partial sum is stored, so that the lines of the
  // product go back and forth between their CPUs. Thread-safe.
  template <typename Stopping>
  bool MultiplyShared(const Stopping& stopping) {
    for (uint64_t row = 0; row < side_; ++row) {
      if (!MultiplySharedRow(row, stopping)) return false;
    }
    return true;
  }

 private:
  MatrixWork(MemoryRegion region, uint64_t side) : region_(std::move(region)), side_(side) {}

  uint64_t* cells() const { return reinterpret_cast<uint64_t*>(region_.data()); }

  // A row of the largest matrices takes far longer than a stop may.
  template <typename Stopping>
  [[gnu::noinline]] bool MultiplyRow(uint64_t row, const Stopping& stopping) {
    const uint64_t* const a = cells();
    const uint64_t* const b = a + side_ * side_;
    volatile uint64_t* const out = cells() + 2 * side_ * side_;
    for (uint64_t column = 0; column < side_; ++column) {
      if (stopping()) return false;
      uint64_t sum = 0;
      for (uint64_t k = 0; k < side_; ++k) sum += a[row * side_ + k] * b[k * side_ + column];
      out[row * side_ + column] = sum;
    }
    return true;
  }

  // The factors never change, so only the product needs atomics; they are plain stores on every CPU that we know.
  template <typename Stopping>
  [[gnu::noinline]] bool MultiplySharedRow(uint64_t row, const Stopping& stopping) {
    const uint64_t* const a = cells();
    const uint64_t* const b = a + side_ * side_;
    uint64_t* const out = cells() + 2 * side_ * side_;
    for (uint64_t column = 0; column < side_; ++column) {
      if (stopping()) return false;
      const std::atomic_ref<uint64_t> cell(out[row * side_ + column]);
      uint64_t sum = 0;
      for (uint64_t k = 0; k < side_; ++k) {
        sum += a[row * side_ + k] * b[k * side_ + column];
        cell.store(sum, std::memory_order_relaxed);
      }
    }
    return true;
  }

  MemoryRegion region_;
  uint64_t side_;
};

}  // namespace muster

#endif  // MUSTER_WORKER_PARTS_MATRIX_H_
