#include "worker/core/step_cradle.h"

#include <new>

#include "worker/core/work_type.h"

namespace muster {
namespace {

thread_local StepCradle* g_cradle = nullptr;

}  // namespace

StepCradle::StepCradle() { g_cradle = this; }

StepCradle::~StepCradle() { g_cradle = nullptr; }

void* StepCradle::Allocate(size_t bytes) {
  StepCradle* const cradle = g_cradle;
  if (cradle == nullptr || cradle->taken_ || bytes > kBytes) return ::operator new(bytes);
  cradle->taken_ = true;
  return cradle->room_;
}

void StepCradle::Free(void* step) noexcept {
  if (g_cradle == nullptr || step != g_cradle->room_) return ::operator delete(step);
  g_cradle->taken_ = false;
}

void* Step::operator new(size_t bytes) { return StepCradle::Allocate(bytes); }
void* Step::operator new(size_t bytes, std::align_val_t alignment) { return ::operator new(bytes, alignment); }
void Step::operator delete(void* step) noexcept { StepCradle::Free(step); }
void Step::operator delete(void* step, std::align_val_t alignment) noexcept { ::operator delete(step, alignment); }

}  // namespace muster
