// The exchange of a pair through two pipes.
#ifndef MUSTER_WORKER_PARTS_PIPE_EXCHANGE_H_
#define MUSTER_WORKER_PARTS_PIPE_EXCHANGE_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "worker/core/blocking.h"
#include "worker/core/work_type.h"
#include "worker/meter/meter.h"

namespace muster {

// Position p reads pipe p and writes the other one. Both ends of both stay open in both members: when the partner is
// dead, the reader blocks until the stop, instead of spinning on an end of file or dying of SIGPIPE.
class PipeExchange {
 public:
  PipeExchange(uint32_t position, std::vector<Plumbing::Pipe> pipes)
      : pipes_(std::move(pipes)),
        read_fd_(pipes_[position].read_end.get()),
        write_fd_(pipes_[1 - position].write_end.get()) {}

  // Writes a byte to the partner and reads one from it; the time of both is a wake sample, and no gap. False: the pool
  // stops.
  bool Swap(Meter& meter) {
    char byte = 0;
    const uint64_t written_ns = MonotonicNs();
    if (!WriteByte(meter, write_fd_, byte) || !ReadByte(meter, read_fd_, &byte)) {
      meter.EndCutWait(written_ns);
      return false;
    }
    const uint64_t now_ns = MonotonicNs();
    meter.WakeSample(now_ns - written_ns);
    meter.EndWait(written_ns, now_ns);
    return true;
  }

 private:
  std::vector<Plumbing::Pipe> pipes_;
  int read_fd_;
  int write_fd_;
};

}  // namespace muster

#endif  // MUSTER_WORKER_PARTS_PIPE_EXCHANGE_H_
