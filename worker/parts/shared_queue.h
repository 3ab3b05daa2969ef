// A bounded queue in shared memory for any number of producers and consumers.
#ifndef MUSTER_WORKER_PARTS_SHARED_QUEUE_H_
#define MUSTER_WORKER_PARTS_SHARED_QUEUE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "worker/arena/layout.h"

namespace muster {

// Lives in zeroed memory of BytesFor(depth). Each place in the ring has a turn: even turns are its producers', odd ones
// its consumers', so that an item is put in once and taken out once, whoever is how fast. Neither call blocks.
class SharedQueue {
 public:
  static size_t BytesFor(uint32_t depth) { return sizeof(SharedQueue) + depth * sizeof(Place); }

  // Every member calls it with the same depth, not 0, before its first use.
  void set_depth(uint32_t depth) { depth_.store(depth, std::memory_order_relaxed); }

  // False: full.
  bool Push(uint64_t item) {
    uint64_t ticket = 0;
    if (!Claim(tail_, 0, &ticket)) return false;
    Place& place = At(ticket);
    place.item.store(item, std::memory_order_relaxed);
    place.turn.store(TurnOf(ticket, 1), std::memory_order_release);
    return true;
  }

  // False: empty.
  bool Pop(uint64_t* item) {
    uint64_t ticket = 0;
    if (!Claim(head_, 1, &ticket)) return false;
    Place& place = At(ticket);
    *item = place.item.load(std::memory_order_relaxed);
    place.turn.store(TurnOf(ticket, 2), std::memory_order_release);
    return true;
  }

 private:
  struct Place {
    std::atomic<uint64_t> turn;
    std::atomic<uint64_t> item;
  };

  uint64_t depth() const { return depth_.load(std::memory_order_relaxed); }
  uint64_t TurnOf(uint64_t ticket, uint64_t side) const { return ticket / depth() * 2 + side; }
  Place& At(uint64_t ticket) { return reinterpret_cast<Place*>(this + 1)[ticket % depth()]; }

  // Takes the next ticket of `end` when its place is at that side's turn.
  bool Claim(std::atomic<uint64_t>& end, uint64_t side, uint64_t* ticket) {
    uint64_t next = end.load(std::memory_order_relaxed);
    while (true) {
      // Acquire: the item of the turn before is complete.
      if (At(next).turn.load(std::memory_order_acquire) == TurnOf(next, side)) {
        if (end.compare_exchange_weak(next, next + 1, std::memory_order_relaxed)) {
          *ticket = next;
          return true;
        }
      } else {
        const uint64_t again = end.load(std::memory_order_relaxed);
        if (again == next) return false;
        next = again;
      }
    }
  }

  alignas(arena::kLineBytes) std::atomic<uint64_t> head_;
  alignas(arena::kLineBytes) std::atomic<uint64_t> tail_;
  alignas(arena::kLineBytes) std::atomic<uint32_t> depth_;
};

}  // namespace muster

#endif  // MUSTER_WORKER_PARTS_SHARED_QUEUE_H_
