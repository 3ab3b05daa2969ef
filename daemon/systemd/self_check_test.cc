#include "daemon/systemd/self_check.h"

#include <gtest/gtest.h>

#include <atomic>

#include "base/no_threads_testing.h"

namespace muster {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(20);

TEST(SelfCheckTest, OnlyAProbeThatWentWellIsTold) {
  Event told;
  std::atomic<int> probes = 0;
  std::atomic<int> probes_when_told = 0;
  const auto check = SelfCheck::Start({.period = absl::Milliseconds(1),
                                       .probe = [&](Deadline) -> absl::Status {
                                         if (++probes < 4) return absl::DeadlineExceededError("no answer");
                                         return absl::OkStatus();
                                       },
                                       .went_well =
                                           [&] {
                                             int none = 0;
                                             probes_when_told.compare_exchange_strong(none, probes);
                                             told.Set();
                                           }});
  ASSERT_TRUE(told.Wait(Deadline::After(kPatience)));
  EXPECT_EQ(probes_when_told, 4);
}

TEST(SelfCheckTest, WithoutRoomForAThreadThereIsNone) {
  const NoThreadsForTesting full;
  const auto check = SelfCheck::Start({.period = absl::Hours(1), .probe = nullptr, .went_well = nullptr});
  EXPECT_EQ(check.status().code(), absl::StatusCode::kResourceExhausted) << check.status();
}

TEST(SelfCheckTest, GoesOnForAsLongAsItLives) {
  Event often;
  std::atomic<int> told = 0;
  const auto check = SelfCheck::Start({.period = absl::Milliseconds(1),
                                       .probe = [](Deadline) { return absl::OkStatus(); },
                                       .went_well =
                                           [&] {
                                             if (++told == 5) often.Set();
                                           }});
  EXPECT_TRUE(often.Wait(Deadline::After(kPatience)));
}

TEST(SelfCheckTest, EndsInTheMiddleOfALongPeriod) {
  Event told;
  const Deadline patience = Deadline::After(kPatience);
  {
    const auto check = SelfCheck::Start({.period = absl::Hours(1),
                                         .probe = [](Deadline) { return absl::OkStatus(); },
                                         .went_well = [&] { told.Set(); }});
    ASSERT_TRUE(told.Wait(patience));
  }
  EXPECT_FALSE(patience.Expired());
}

}  // namespace
}  // namespace muster
