#include "worker/core/step_cradle.h"

#include <memory>

#include "gtest/gtest.h"
#include "worker/core/work_type.h"

namespace muster {
namespace {

class SmallStep : public Step {
 public:
  StepResult Run(Meter&) override { return StepResult::kDone; }
};

class LargeStep : public SmallStep {
  std::byte room_[4096];
};

class alignas(256) AlignedStep : public SmallStep {};

bool IsWithin(const void* object, const StepCradle& cradle) {
  const auto* const at = static_cast<const std::byte*>(object);
  const auto* const begin = reinterpret_cast<const std::byte*>(&cradle);
  return at >= begin && at < begin + sizeof(cradle);
}

TEST(StepCradleTest, TheFirstStepLiesInItAndASecondOneDoesNot) {
  StepCradle cradle;
  auto first = std::make_unique<SmallStep>();
  const auto second = std::make_unique<SmallStep>();
  EXPECT_TRUE(IsWithin(first.get(), cradle));
  EXPECT_FALSE(IsWithin(second.get(), cradle));
  first.reset();
  EXPECT_TRUE(IsWithin(std::make_unique<SmallStep>().get(), cradle)) << "it is empty again";
}

TEST(StepCradleTest, AStepThatDoesNotFitLiesInTheHeap) {
  StepCradle cradle;
  const auto large = std::make_unique<LargeStep>();
  const auto aligned = std::make_unique<AlignedStep>();
  EXPECT_FALSE(IsWithin(large.get(), cradle));
  EXPECT_FALSE(IsWithin(aligned.get(), cradle));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(aligned.get()) % 256, 0u);
}

TEST(StepCradleTest, WithoutOneAStepLiesInTheHeapAndMayOutliveALaterOne) {
  auto early = std::make_unique<SmallStep>();
  StepCradle cradle;
  EXPECT_FALSE(IsWithin(early.get(), cradle));
  early.reset();
  EXPECT_TRUE(IsWithin(std::make_unique<SmallStep>().get(), cradle));
}

}  // namespace
}  // namespace muster
