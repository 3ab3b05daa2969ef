#include "worker/arena/reader.h"

#include <string>
#include <thread>

#include "base/clock.h"
#include "gtest/gtest.h"
#include "worker/arena/arena_fixture.h"
#include "worker/arena/text.h"
#include "worker/meter/meter.h"

namespace muster::arena {
namespace {

TEST(CleanTextTest, EndsAtTheFirstNulAndIsValidUtf8) {
  const std::pair<std::string, std::string> cases[] = {
      {"", ""},
      {"plain", "plain"},
      {std::string("cut\0off", 7), "cut"},
      {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
      {"\xe2\x82\xac\xf0\x9f\x98\x80", "\xe2\x82\xac\xf0\x9f\x98\x80"},
      {"\xff\xfe", "??"},
      {"\xc3", "?"},
      {"\xc0\xaf", "??"},            // overlong
      {"\xed\xa0\x80", "???"},       // surrogate
      {"\xf4\x90\x80\x80", "????"},  // beyond U+10FFFF
      {"\xe2\x82", "??"},            // cut off
      {"a\x80z", "a?z"},
  };
  for (const auto& [bytes, clean] : cases) EXPECT_EQ(CleanText(bytes), clean);
}

TEST(CleanTextTest, AFullTextIsNotReadBeyondItsEnd) {
  Text<4> text;
  SetText(&text, "abcdef");
  EXPECT_EQ(CleanText(text), "abcd");
}

TEST(ReadLiveTest, BeforeTheFirstCheckpointThereIsNoCpu) {
  const ArenaFixture fixture({WorkerShape{}});
  EXPECT_EQ(ReadLive(fixture.daemon(), 0).last_cpu, -1);
  EXPECT_EQ(ReadLive(fixture.daemon(), 0).state, State::kNone);
}

TEST(ReadLiveTest, AWordThatIsNoStateIsNone) {
  const ArenaFixture fixture({WorkerShape{}});
  fixture.arena().live(0).state = static_cast<State>(77);
  EXPECT_EQ(ReadLive(fixture.daemon(), 0).state, State::kNone);
}

TEST(ReadLiveTest, EveryWorkersLineIsItsOwn) {
  const ArenaFixture fixture(std::vector<WorkerShape>(100));
  for (uint32_t i = 0; i < 100; ++i) {
    Meter meter(fixture.Target(i));
    meter.Begin(MonotonicNs(), 0);
    meter.AddUnits(i);
    meter.EndIteration();
  }
  for (uint32_t i = 0; i < 100; ++i) {
    EXPECT_EQ(ReadLive(fixture.daemon(), i).work_units, i);
    EXPECT_EQ(ReadLive(fixture.daemon(), i).iterations, 1u);
  }
}

TEST(ReadCoreTest, ThereIsNoneBeforeTheFirst) {
  const ArenaFixture fixture({WorkerShape{}});
  EXPECT_FALSE(ReadCore(fixture.daemon().control(0)).has_value());
}

TEST(ReadCoreTest, ACountThatIsNonsenseStillReadsOneOfTheBuffers) {
  const ArenaFixture fixture({WorkerShape{}});
  for (const uint64_t published : {uint64_t{1}, uint64_t{2}, UINT64_MAX}) {
    fixture.control().cores_published = published;
    EXPECT_TRUE(ReadCore(fixture.daemon().control(0)).has_value());
  }
}

// A worker publishes as fast as it can; whatever a reader sees is one record, and never an older one than before.
TEST(ReadCoreTest, ConcurrentReadingsAreConsistentAndNeverGoBack) {
  const ArenaFixture fixture({WorkerShape{}});
  std::atomic<bool> done{false};
  std::thread worker([&] {
    Meter meter(fixture.Target());
    meter.Begin(MonotonicNs(), 0);
    while (!done) {
      meter.AddUnits(kCheckpointUnits);
      meter.EndIteration();
    }
  });
  uint64_t last_iterations = 0;
  uint64_t last_live = 0;
  for (int reading = 0; reading < 200'000; ++reading) {
    if (const std::optional<Core> core = ReadCore(fixture.daemon().control(0))) {
      EXPECT_EQ(core->work_units, core->iterations * kCheckpointUnits);
      EXPECT_EQ(core->checkpoints, core->iterations);
      EXPECT_GE(core->iterations, last_iterations);
      last_iterations = core->iterations;
    }
    const uint64_t live = ReadLive(fixture.daemon(), 0).iterations;
    EXPECT_GE(live, last_live);
    last_live = live;
    if (HasFailure()) break;
  }
  done = true;
  worker.join();
  EXPECT_EQ(ReadCore(fixture.daemon().control(0))->iterations, ReadLive(fixture.daemon(), 0).iterations);
}

TEST(ReadFinalTest, ARecordIsSoundOnlyWithItsChecksum) {
  const ArenaFixture fixture({WorkerShape{}});
  EXPECT_FALSE(ReadFinal(fixture.daemon(), 0).has_value()) << "not finished";
  Meter meter(fixture.Target());
  meter.Begin(MonotonicNs(), 0);
  fixture.Finish(0, {.cpu_time_ns = 5, .completed = 1});
  ASSERT_TRUE(ReadFinal(fixture.daemon(), 0).has_value());
  EXPECT_EQ(ReadFinal(fixture.daemon(), 0)->final.cpu_time_ns, 5u);
  EXPECT_FALSE(ReadFinal(fixture.daemon(), 0)->panicked);
}

TEST(ReadFinalTest, EveryByteOfTheRecordIsCovered) {
  const ArenaFixture fixture({WorkerShape{}});
  Meter meter(fixture.Target());
  meter.Begin(MonotonicNs(), 0);
  fixture.Finish(0, {.completed = 1});
  const auto flip_all = [&](void* data, size_t bytes) {
    for (size_t i = 0; i < bytes; ++i) {
      static_cast<char*>(data)[i] ^= 1;
      EXPECT_FALSE(ReadFinal(fixture.daemon(), 0).has_value()) << "byte " << i;
      static_cast<char*>(data)[i] ^= 1;
    }
  };
  flip_all(&fixture.control().evidence, sizeof(Evidence));
  flip_all(&fixture.control().final, sizeof(Final));
  flip_all(&fixture.control().cores[0], sizeof(Core));
  EXPECT_TRUE(ReadFinal(fixture.daemon(), 0).has_value());
}

TEST(ReadEvidenceTest, ThereIsNoneUntilItIsReady) {
  const ArenaFixture fixture({WorkerShape{}});
  fixture.control().evidence.first_instruction_at_ns = 7;
  EXPECT_FALSE(ReadEvidence(fixture.daemon().control(0)).has_value());
  fixture.control().evidence_ready = 1;
  EXPECT_EQ(ReadEvidence(fixture.daemon().control(0))->first_instruction_at_ns, 7u);
}

}  // namespace
}  // namespace muster::arena
