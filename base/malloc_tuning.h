// glibc's allocator, set up for large messages.
#ifndef MUSTER_BASE_MALLOC_TUNING_H_
#define MUSTER_BASE_MALLOC_TUNING_H_

#include <malloc.h>

namespace muster {

// Keeps blocks of up to 32 MiB on the heap and up to 128 MiB of freed heap in the process. By default a block of 128
// KiB is mapped anew each time, and a report with full sample vectors (three of 800 kB) pays a page fault for every
// page of every message. Acts on the whole process; any thread, any number of times.
inline void KeepLargeBlocksOnTheHeap() {
  // glibc refuses thresholds above HEAP_MAX_SIZE / 2, 32 MiB on 64-bit machines (mallopt(3)).
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 128 << 20);
}

}  // namespace muster

#endif  // MUSTER_BASE_MALLOC_TUNING_H_
