#include "worker/host/shared_view.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/errno_status.h"
#include "base/file_io.h"
#include "base/status_macros.h"

namespace muster::host {

absl::StatusOr<SharedView> SharedView::Map(int arena_fd, const arena::Arena& arena) {
  // A file opened for reading only: mprotect cannot make such a shared mapping writable.
  ASSIGN_OR_RETURN(const UniqueFd file, OpenAt(AT_FDCWD, absl::StrCat("/proc/self/fd/", arena_fd), O_RDONLY));
  const uint64_t bytes = arena.SharedRange().bytes;
  void* base = mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file.get(), 0);
  if (base == MAP_FAILED) return ErrnoStatus(errno, "mmap of the arena's shared part");
  return SharedView(static_cast<std::byte*>(base), bytes);
}

SharedView::SharedView(SharedView&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

SharedView& SharedView::operator=(SharedView&& other) noexcept {
  std::swap(base_, other.base_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

SharedView::~SharedView() {
  if (base_ != nullptr) munmap(base_, bytes_);
}

arena::Gate SharedView::gate() const {
  // The words are atomics, which have no read-only type of their own; nobody stores through this pointer.
  return {reinterpret_cast<arena::GateWord*>(base_ + header().gate_offset), header().num_workers};
}

void SharedView::Touch(uint32_t wake_position) const {
  [[maybe_unused]] const uint32_t stop = header().stop.load(std::memory_order_relaxed);
  const arena::Gate tree = gate();
  if (tree.HasBelow(wake_position)) [[maybe_unused]]
    const uint32_t call = tree.CallBelow(wake_position).load(std::memory_order_relaxed);
}

}  // namespace muster::host
