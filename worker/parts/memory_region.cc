#include "worker/parts/memory_region.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "base/errno_status.h"
#include "worker/arena/layout.h"

namespace muster {

absl::StatusOr<MemoryRegion> MemoryRegion::Map(size_t bytes) {
  constexpr size_t kPage = arena::kPageBytes;
  if (bytes > SIZE_MAX - kPage) return absl::ResourceExhaustedError(absl::StrCat("map ", bytes, " bytes: too many"));
  const size_t rounded = bytes == 0 ? kPage : (bytes + kPage - 1) / kPage * kPage;
  void* base = mmap(nullptr, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return ErrnoStatus(errno, absl::StrCat("map ", rounded, " bytes of private memory"));
  // Without huge pages a touch is a page; a kernel without them refuses the advice, which is as good.
  madvise(base, rounded, MADV_NOHUGEPAGE);
  return MemoryRegion(static_cast<std::byte*>(base), rounded);
}

MemoryRegion::~MemoryRegion() {
  if (base_ != nullptr) munmap(base_, bytes_);
}

size_t MemoryRegion::pages() const { return bytes_ / arena::kPageBytes; }

void MemoryRegion::DropPages() { madvise(base_, bytes_, MADV_DONTNEED); }

}  // namespace muster
