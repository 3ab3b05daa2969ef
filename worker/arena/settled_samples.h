// Samples as they lie in the arena.
#ifndef MUSTER_WORKER_ARENA_SETTLED_SAMPLES_H_
#define MUSTER_WORKER_ARENA_SETTLED_SAMPLES_H_

#include <array>
#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "worker/arena/arena.h"

namespace muster::arena {

// The samples of a worker that is no more, by stream: the bytes of a packed fixed64 where they lie in the arena.
// Nothing while the worker may still write.
using SettledSamples = std::array<absl::string_view, kStreams>;
std::optional<SettledSamples> SettledSamplesOf(const Arena& arena, uint32_t worker);

}  // namespace muster::arena

#endif  // MUSTER_WORKER_ARENA_SETTLED_SAMPLES_H_
