// What every worker sees of the arena: header, gate words and wake order, read-only.
#ifndef MUSTER_WORKER_HOST_SHARED_VIEW_H_
#define MUSTER_WORKER_HOST_SHARED_VIEW_H_

#include "absl/status/statusor.h"
#include "worker/arena/arena.h"
#include "worker/arena/gate.h"

namespace muster::host {

// Unmaps when destroyed. Move-only. Made once in the pool host and inherited by all its children, who cannot make it
// writable.
class SharedView {
 public:
  static absl::StatusOr<SharedView> Map(int arena_fd, const arena::Arena& arena);

  SharedView() = default;
  SharedView(SharedView&& other) noexcept;
  SharedView& operator=(SharedView&& other) noexcept;
  ~SharedView();

  const arena::Header& header() const { return *reinterpret_cast<const arena::Header*>(base_); }
  arena::Gate gate() const;
  // Reads what a worker at this position of the wake tree will read right after the gate, so that it costs no page
  // fault then.
  void Touch(uint32_t wake_position) const;

 private:
  SharedView(std::byte* base, uint64_t bytes) : base_(base), bytes_(bytes) {}

  std::byte* base_ = nullptr;
  uint64_t bytes_ = 0;
};

}  // namespace muster::host

#endif  // MUSTER_WORKER_HOST_SHARED_VIEW_H_
