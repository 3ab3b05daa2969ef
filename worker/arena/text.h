// Fixed texts of the arena.
#ifndef MUSTER_WORKER_ARENA_TEXT_H_
#define MUSTER_WORKER_ARENA_TEXT_H_

#include <algorithm>
#include <cstring>

#include "absl/strings/string_view.h"
#include "worker/arena/layout.h"

namespace muster::arena {

// Copies `text` in, cut to the room there is, and zeroes the rest. Async-signal-safe.
template <size_t N>
void SetText(Text<N>* target, absl::string_view text) {
  const size_t length = std::min(N, text.size());
  if (length > 0) memcpy(target->bytes, text.data(), length);
  memset(target->bytes + length, 0, N - length);
}

// Up to the first NUL or the end. The bytes may be anything.
template <size_t N>
absl::string_view TextView(const Text<N>& text) {
  return absl::string_view(text.bytes, strnlen(text.bytes, N));
}

}  // namespace muster::arena

#endif  // MUSTER_WORKER_ARENA_TEXT_H_
