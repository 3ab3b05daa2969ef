// A real arena, mapped twice as in life: by a reader like musterd, and writable as workers and the pool host have it.
#ifndef MUSTER_WORKER_ARENA_ARENA_FIXTURE_H_
#define MUSTER_WORKER_ARENA_ARENA_FIXTURE_H_

#include <cstdint>
#include <vector>

#include "worker/arena/arena.h"
#include "worker/meter/meter.h"

namespace muster::arena {

// Owns both mappings.
class ArenaFixture {
 public:
  explicit ArenaFixture(const std::vector<WorkerShape>& shapes);

  // As musterd sees it.
  const Arena& daemon() const { return daemon_; }
  // Writable.
  const Arena& arena() const { return writable_; }
  Control& control(uint32_t worker = 0) const { return writable_.control(worker); }
  // What a worker's meter writes to.
  MeterTarget Target(uint32_t worker = 0) const;
  // Ends a worker's record as the runner does, `final` as it is.
  void Finish(uint32_t worker, const Final& final, bool panicked = false) const;
  // What the pool host writes of an end.
  void SetExit(uint32_t worker, Exit exit, int32_t value) const;

 private:
  Arena daemon_;
  Arena writable_;
};

}  // namespace muster::arena

#endif  // MUSTER_WORKER_ARENA_ARENA_FIXTURE_H_
