// How long a stop waits for workers to leave their loops by themselves.
#ifndef MUSTER_WORKER_HOST_PATIENCE_H_
#define MUSTER_WORKER_HOST_PATIENCE_H_

#include <cstdint>

namespace muster::host {

// Workers that run see the stop word by themselves; a signal would only make them later, and all who wait for a CPU
// behind them. So patience lasts as long as anybody at all leaves his loop between two looks, but no longer than its
// bound.
class Patience {
 public:
  // `left`: workers that have left their loops by now.
  Patience(uint32_t left, uint64_t until_ns) : left_(left), until_ns_(until_ns) {}

  uint64_t until_ns() const { return until_ns_; }
  // To be asked at each look, which is at `now_ns`.
  bool IsOver(uint32_t left, uint64_t now_ns) {
    const bool stalled = left == left_;
    left_ = left;
    return stalled || now_ns >= until_ns_;
  }

 private:
  uint32_t left_;
  const uint64_t until_ns_;
};

}  // namespace muster::host

#endif  // MUSTER_WORKER_HOST_PATIENCE_H_
