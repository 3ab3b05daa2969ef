#include "worker/host/board.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <algorithm>
#include <utility>

#include "base/errno_status.h"
#include "worker/arena/layout.h"

namespace muster::host {
namespace {

constexpr size_t kHeadBytes = arena::kPageBytes;
static_assert(sizeof(BoardHead) <= kHeadBytes);

}  // namespace

absl::StatusOr<Board> Board::Create(uint32_t num_workers) {
  Board board(nullptr, num_workers);
  void* base = mmap(nullptr, board.bytes(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) return ErrnoStatus(errno, "mmap of the memory that a pool's makers share");
  board.base_ = base;
  return board;
}

Board::Board(Board&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)), num_workers_(std::exchange(other.num_workers_, 0)) {}

Board& Board::operator=(Board&& other) noexcept {
  std::swap(base_, other.base_);
  std::swap(num_workers_, other.num_workers_);
  return *this;
}

Board::~Board() {
  if (base_ != nullptr) munmap(base_, bytes());
}

size_t Board::bytes() const { return kHeadBytes + std::max<size_t>(1, num_workers_) * sizeof(int32_t); }

int32_t* Board::ids() const { return reinterpret_cast<int32_t*>(static_cast<std::byte*>(base_) + kHeadBytes); }

void Board::HideIds() const { madvise(ids(), bytes() - kHeadBytes, MADV_DONTFORK); }

void Board::Fail(const absl::Status& status) const {
  Failure& failure = head().failure;
  if (failure.claimed.exchange(1, std::memory_order_acq_rel) != 0) return;
  failure.code = static_cast<int32_t>(status.code());
  const size_t length = std::min(sizeof(failure.text) - 1, status.message().size());
  memcpy(failure.text, status.message().data(), length);
  failure.text[length] = '\0';
  failure.written.store(1, std::memory_order_release);
}

absl::Status Board::TakeFailure() const {
  const Failure& failure = head().failure;
  if (failure.written.load(std::memory_order_acquire) == 0) return absl::OkStatus();
  const std::string text(failure.text, strnlen(failure.text, sizeof(failure.text)));
  const int32_t code = failure.code;
  const bool known = code > 0 && code <= static_cast<int32_t>(absl::StatusCode::kUnauthenticated);
  return absl::Status(known ? static_cast<absl::StatusCode>(code) : absl::StatusCode::kInternal, text);
}

}  // namespace muster::host
