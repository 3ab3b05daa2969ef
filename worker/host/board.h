// Memory that the pool host and its children share while a pool is being made.
#ifndef MUSTER_WORKER_HOST_BOARD_H_
#define MUSTER_WORKER_HOST_BOARD_H_

#include <atomic>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "worker/arena/arrivals.h"

namespace muster::host {

// What a child that could not go on left behind; the first one's stays.
struct Failure {
  std::atomic<uint32_t> claimed;
  std::atomic<uint32_t> written;
  int32_t code;
  char text[496];
};

// First pages of the board.
struct BoardHead {
  arena::Arrivals arrivals;
  // Thread mode: non-zero lets the threads go on to their setup.
  std::atomic<uint32_t> threads_may_go;
  Failure failure;
};

// Unmaps when destroyed. Move-only. Children inherit the head, and the ids unless HideIds was called before.
class Board {
 public:
  static absl::StatusOr<Board> Create(uint32_t num_workers);

  Board() = default;
  Board(Board&& other) noexcept;
  Board& operator=(Board&& other) noexcept;
  ~Board();

  BoardHead& head() const { return *static_cast<BoardHead*>(base_); }
  // Process ids (fork mode) or thread ids, by worker; 0: not made. The kernel stores into them at the clone.
  int32_t* ids() const;
  int32_t id(uint32_t worker) const { return std::atomic_ref<int32_t>(ids()[worker]).load(std::memory_order_acquire); }
  uint32_t num_workers() const { return num_workers_; }
  // Later children of the caller do not see the ids.
  void HideIds() const;

  // Notes down why the caller ends. Async-signal-safe but for the status itself.
  void Fail(const absl::Status& status) const;
  // What was noted down; OK when nothing was. The head is hostile input by the time it is read.
  absl::Status TakeFailure() const;

 private:
  Board(void* base, uint32_t num_workers) : base_(base), num_workers_(num_workers) {}

  size_t bytes() const;

  void* base_ = nullptr;
  uint32_t num_workers_ = 0;
};

}  // namespace muster::host

#endif  // MUSTER_WORKER_HOST_BOARD_H_
