#include "client/call_traffic.h"

#include <gtest/gtest.h>

#include <thread>

namespace muster {
namespace {

TEST(CallTrafficTest, ASingleCallLeavesTheReaderWhereItIs) {
  CallTraffic traffic;
  bool woken = false;
  ASSERT_TRUE(traffic.BeginWait([&] { woken = true; }));
  traffic.Note();
  EXPECT_FALSE(woken);
}

TEST(CallTrafficTest, CallsOneAfterAnotherFetchTheReaderOnce) {
  CallTraffic traffic;
  int wakes = 0;
  ASSERT_TRUE(traffic.BeginWait([&] { ++wakes; }));
  // However slow the machine, some two of them are close to each other.
  for (int i = 0; i < 100'000 && wakes == 0; ++i) traffic.Note();
  traffic.Note();
  traffic.Note();
  EXPECT_EQ(wakes, 1);
}

TEST(CallTrafficTest, AReaderThatIsBackIsNotFetched) {
  CallTraffic traffic;
  bool woken = false;
  ASSERT_TRUE(traffic.BeginWait([&] { woken = true; }));
  traffic.EndWait();
  for (int i = 0; i < 1'000; ++i) traffic.Note();
  EXPECT_FALSE(woken);
}

TEST(CallTrafficTest, TheReaderWaitsAgainWhenCallsHaveCeased) {
  CallTraffic traffic;
  traffic.Note();
  // Each refusal is followed by one pause.
  while (!traffic.BeginWait([] {})) traffic.Pause();
  traffic.EndWait();
}

TEST(CallTrafficTest, AHurriedReaderDoesNotPause) {
  CallTraffic traffic;
  traffic.Hurry();
  traffic.Note();
  EXPECT_TRUE(traffic.BeginWait([] {}));
  for (int i = 0; i < 1'000'000; ++i) traffic.Pause();
}

}  // namespace
}  // namespace muster
