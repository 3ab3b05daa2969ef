// A small generator for draws that must come out the same wherever they are repeated.
#ifndef MUSTER_DAEMON_SPEC_SPLITMIX_H_
#define MUSTER_DAEMON_SPEC_SPLITMIX_H_

#include <cstdint>

namespace muster {

// SplitMix64 (Steele, Lea, Flood 2014): any seed will do, and neighbouring seeds give unrelated sequences.
class SplitMix64 {
 public:
  explicit SplitMix64(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    state_ += 0x9E3779B97F4A7C15;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }

  // Below `bound`, which is not 0.
  uint64_t Below(uint64_t bound) {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(Next()) * bound) >> 64);
  }

 private:
  uint64_t state_;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_SPEC_SPLITMIX_H_
