// Where a worker's step lies in memory.
#ifndef MUSTER_WORKER_CORE_STEP_CRADLE_H_
#define MUSTER_WORKER_CORE_STEP_CRADLE_H_

#include <cstddef>

namespace muster {

// Room for one step beside what its worker writes anyway. A step that is made while the calling thread has a cradle
// that is empty lies in it, if it fits; others lie in the heap. A forked worker that allocates there copies up to five
// pages of its parent's. Must outlive its step, which the same thread destroys. Neither copyable nor movable; one per
// thread at a time.
class StepCradle {
 public:
  StepCradle();
  ~StepCradle();
  StepCradle(const StepCradle&) = delete;
  StepCradle& operator=(const StepCradle&) = delete;

  // Memory for a step on the calling thread, in its cradle or in the heap, and its return.
  static void* Allocate(size_t bytes);
  static void Free(void* step) noexcept;

 private:
  static constexpr size_t kBytes = 256;

  alignas(std::max_align_t) std::byte room_[kBytes];
  bool taken_ = false;
};

}  // namespace muster

#endif  // MUSTER_WORKER_CORE_STEP_CRADLE_H_
