#include "worker/arena/settled_samples.h"

#include <bit>

#include "worker/arena/reader.h"

namespace muster::arena {

std::optional<SettledSamples> SettledSamplesOf(const Arena& arena, uint32_t worker) {
  static_assert(std::endian::native == std::endian::little, "fixed64 is little-endian on the wire");
  const HostEntry& entry = arena.host(worker);
  // Acquire: whoever recorded the end had reaped the process, so that all its stores come before.
  const Exit exit = entry.exit.load(std::memory_order_acquire);
  if (exit != Exit::kExited && exit != Exit::kSignaled) return std::nullopt;
  const WorkerShape shape = ShapeOf(entry);
  const Bulk bulk = TakeApart(arena.bulk(worker), shape);
  SettledSamples samples;
  for (const Stream stream : {kWake, kCost, kTimer}) {
    const Store& store = bulk.stores[stream];
    if (store.head == nullptr) continue;
    samples[stream] = {reinterpret_cast<const char*>(store.samples),
                       NumSamples(store, shape.sample_capacity) * sizeof(uint64_t)};
  }
  return samples;
}

}  // namespace muster::arena
