// What one worker sees of an arena, in the memory of a test.
#ifndef MUSTER_WORKER_METER_METER_FIXTURE_H_
#define MUSTER_WORKER_METER_METER_FIXTURE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "worker/arena/arena.h"
#include "worker/arena/gate.h"
#include "worker/meter/meter.h"

namespace muster {

// Owns header, control and bulk of one worker, zeroed; a Meter on target() must not outlive it.
class MeterFixture {
 public:
  // Several workers of one pool share a `header` of the caller's.
  explicit MeterFixture(const arena::WorkerShape& shape, uint64_t seed = 1, arena::Header* header = nullptr);
  MeterFixture(const MeterFixture&) = delete;
  MeterFixture& operator=(const MeterFixture&) = delete;
  ~MeterFixture();

  const MeterTarget& target() const { return target_; }
  arena::Control& control() { return *target_.control; }
  arena::Live& live() { return *target_.live; }
  const arena::Store& store(arena::Stream stream) const { return target_.bulk.stores[stream]; }
  const arena::MigrationEntry* migrations() const { return target_.bulk.migrations; }
  // The newest published record; all zero when there is none.
  arena::Core core() const;
  // The samples that a stream keeps.
  std::vector<uint64_t> Samples(arena::Stream stream) const;

  // At an instant of CLOCK_MONOTONIC; 0: nobody has written when.
  void Stop(uint64_t at_ns = 0) {
    header_->stopped_at_ns = at_ns;
    arena::RaiseStop(&header_->stop);
  }

 private:
  std::unique_ptr<arena::Header> own_header_;
  arena::Header* header_;
  std::byte* memory_ = nullptr;
  MeterTarget target_;
};

}  // namespace muster

#endif  // MUSTER_WORKER_METER_METER_FIXTURE_H_
