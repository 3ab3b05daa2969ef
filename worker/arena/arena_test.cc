#include "worker/arena/arena.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>
#include <set>
#include <utility>

#include "gtest/gtest.h"
#include "worker/arena/histogram.h"

namespace muster::arena {
namespace {

using Access = Arena::Access;

std::vector<WorkerShape> Shapes() {
  return {{.group_idx = 0, .stream_set = 0, .sample_capacity = 100, .migration_capacity = 0},
          {.group_idx = 0, .stream_set = 1, .sample_capacity = 100, .migration_capacity = 10},
          {.group_idx = 1, .stream_set = 7, .sample_capacity = 1'000, .migration_capacity = 10},
          {.group_idx = 2, .stream_set = 5, .sample_capacity = 0, .migration_capacity = 4'096}};
}

Arena MapNew(const std::vector<WorkerShape>& shapes, Access access) {
  auto fd = Arena::Create(shapes);
  EXPECT_TRUE(fd.ok()) << fd.status();
  auto arena = Arena::Map(fd->get(), access);
  EXPECT_TRUE(arena.ok()) << arena.status();
  return *std::move(arena);
}

// Both kinds of memory that an arena may lie in.
class ArenaOfEitherKindTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (!GetParam()) return;
    absl::StatusOr<HugeFiles> files = HugeFiles::Mount();
    if (!files.ok()) GTEST_SKIP() << files.status();
    files_.emplace(*std::move(files));
  }
  static std::vector<WorkerShape> LargeShapes() {
    return std::vector<WorkerShape>(7, {.stream_set = 1, .sample_capacity = kMaxSamples, .migration_capacity = 10});
  }
  absl::StatusOr<UniqueFd> Create(const std::vector<WorkerShape>& shapes) {
    return Arena::Create(shapes, files_.has_value() ? &*files_ : nullptr);
  }

 private:
  std::optional<HugeFiles> files_;
};

INSTANTIATE_TEST_SUITE_P(Kinds, ArenaOfEitherKindTest, testing::Bool(),
                         [](const auto& kind) { return kind.param ? "HugePages" : "Memfd"; });

// What one side stores the other sees, in every region.
TEST_P(ArenaOfEitherKindTest, BothSidesSeeTheSameBytes) {
  const auto fd = Create(LargeShapes());
  ASSERT_TRUE(fd.ok()) << fd.status();
  const auto daemon = Arena::Map(fd->get(), Access::kDaemon);
  const auto host = Arena::Map(fd->get(), Access::kPoolHost);
  ASSERT_TRUE(daemon.ok() && host.ok()) << daemon.status() << host.status();
  daemon->header().stop = 7;
  daemon->gate()[6] = 8;
  host->wake_order()[6] = 9;
  host->host(6).pid = 10;
  host->live(6).iterations = 11;
  host->bulk(6)[BulkBytes(LargeShapes()[6]) - 1] = std::byte{12};
  EXPECT_EQ(host->header().stop, 7u);
  EXPECT_EQ(host->gate()[6], 8u);
  EXPECT_EQ(daemon->wake_order()[6], 9u);
  EXPECT_EQ(daemon->host(6).pid, 10);
  EXPECT_EQ(daemon->live(6).iterations, 11u);
  EXPECT_EQ(daemon->bulk(6)[BulkBytes(LargeShapes()[6]) - 1], std::byte{12});
}

TEST(ArenaTest, EveryWorkerFindsItsShape) {
  const Arena arena = MapNew(Shapes(), Access::kDaemon);
  ASSERT_EQ(arena.num_workers(), 4u);
  for (uint32_t i = 0; i < 4; ++i) {
    const WorkerShape shape = ShapeOf(arena.host(i));
    EXPECT_EQ(shape.group_idx, Shapes()[i].group_idx);
    EXPECT_EQ(shape.stream_set, Shapes()[i].stream_set);
    EXPECT_EQ(shape.sample_capacity, Shapes()[i].sample_capacity);
    EXPECT_EQ(arena.host(i).bulk_bytes, BulkBytes(Shapes()[i]));
    EXPECT_EQ(arena.wake_order()[i], i);
  }
}

// Every part that a worker writes is marked with its number; no mark is overwritten by another's.
TEST(ArenaTest, PartsDoNotOverlap) {
  const Arena arena = MapNew(Shapes(), Access::kPoolHost);
  const auto mark = [&](uint32_t i, uint64_t value) {
    arena.live(i).iterations = value;
    arena.control(i).noop_reason.bytes[127] = static_cast<char>(value);
    arena.control(i).evidence.tid = static_cast<int32_t>(value);
    const Bulk bulk = TakeApart(arena.bulk(i), Shapes()[i]);
    if (Shapes()[i].migration_capacity > 0) bulk.migrations[Shapes()[i].migration_capacity - 1].to_cpu = value;
    for (const Store& store : bulk.stores) {
      if (store.head == nullptr) continue;
      store.head->total = value;
      if (Shapes()[i].sample_capacity > 0) store.samples[Shapes()[i].sample_capacity - 1] = value;
      store.buckets[kHistogramBuckets - 1] = value;
    }
  };
  for (uint32_t i = 0; i < 4; ++i) mark(i, i + 1);
  for (uint32_t i = 0; i < 4; ++i) {
    EXPECT_EQ(arena.live(i).iterations.load(), i + 1);
    EXPECT_EQ(arena.control(i).evidence.tid, static_cast<int32_t>(i + 1));
    const Bulk bulk = TakeApart(arena.bulk(i), Shapes()[i]);
    for (uint32_t stream = 0; stream < kStreams; ++stream) {
      const Store& store = bulk.stores[stream];
      EXPECT_EQ(store.head != nullptr, (Shapes()[i].stream_set >> stream & 1) != 0);
      if (store.head == nullptr) continue;
      EXPECT_EQ(store.head->total.load(), i + 1);
      EXPECT_EQ(store.buckets[kHistogramBuckets - 1].load(), i + 1);
    }
  }
  EXPECT_EQ(arena.gate()[0].load(), 0u);
  EXPECT_EQ(arena.host(3).telemetry_fd.load(), -1);
}

TEST(ArenaTest, RangesArePagesAndCoverTheirWorkers) {
  const Arena arena = MapNew(Shapes(), Access::kDaemon);
  const Range parts = arena.PartsRange(1, 2);
  EXPECT_EQ(parts.offset % kPageBytes, 0u);
  EXPECT_EQ(parts.bytes, PartBytes(Shapes()[1]) + PartBytes(Shapes()[2]));
  EXPECT_EQ(PartBytes(Shapes()[1]), kControlBytes + BulkBytes(Shapes()[1]));
  EXPECT_EQ(arena.PartsRange(0, 0).bytes, 0u);
  EXPECT_EQ(arena.SharedRange().offset, 0u);
  EXPECT_LE(arena.SharedRange().bytes, arena.header().parts_offset);
}

TEST(ArenaTest, NeighboursLiveLinesDifferInTheirPlace) {
  const Arena arena = MapNew(std::vector<WorkerShape>(kLiveColours), Access::kDaemon);
  std::set<uintptr_t> offsets;
  for (uint32_t i = 0; i < kLiveColours; ++i) {
    const auto address = reinterpret_cast<uintptr_t>(&arena.live(i));
    EXPECT_EQ(address % kLineBytes, 0u);
    offsets.insert(address % kControlBytes);
  }
  EXPECT_EQ(offsets.size(), kLiveColours);
}

TEST_P(ArenaOfEitherKindTest, OneOfManySmallPartsIsASealedMemfd) {
  const auto fd = Create(std::vector<WorkerShape>(1'000, {.stream_set = 1, .sample_capacity = 100}));
  ASSERT_TRUE(fd.ok()) << fd.status();
  EXPECT_NE(ftruncate(fd->get(), 4'096), 0);
}

TEST(ArenaTest, ItsSizeCannotChange) {
  auto fd = Arena::Create(Shapes());
  ASSERT_TRUE(fd.ok());
  EXPECT_NE(ftruncate(fd->get(), 4'096), 0);
  EXPECT_NE(ftruncate(fd->get(), 1 << 30), 0);
}

TEST(ArenaTest, WhatIsNoArenaIsRefused) {
  const UniqueFd unsealed(memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(ftruncate(unsealed.get(), 1 << 20), 0);
  EXPECT_EQ(Arena::Map(unsealed.get(), Access::kDaemon).status().code(), absl::StatusCode::kInvalidArgument);
  fcntl(unsealed.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
  EXPECT_EQ(Arena::Map(unsealed.get(), Access::kDaemon).status().code(), absl::StatusCode::kInvalidArgument);
  const absl::StatusOr<HugeFiles> files = HugeFiles::Mount();
  if (files.ok()) {
    const absl::StatusOr<UniqueFd> empty = files->Make();
    ASSERT_EQ(ftruncate(empty->get(), 1 << 20), 0);
    EXPECT_EQ(Arena::Map(empty->get(), Access::kDaemon).status().code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_FALSE(Arena::Map(-1, Access::kDaemon).ok());
}

TEST(ArenaTest, MoreThanTheMachineHasIsAnError) {
  const WorkerShape largest = {.stream_set = 7, .sample_capacity = kMaxSamples, .migration_capacity = kMaxMigrations};
  EXPECT_GT(BulkBytes(largest), 2'400'000u);
  EXPECT_EQ(ArenaBytes({largest, largest}) - ArenaBytes({largest}), PartBytes(largest));
}

// Runs in a child, which dies of it or not.
bool Survives(void (*body)(const Arena&), const Arena& arena) {
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGSEGV, SIG_DFL);
    body(arena);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(ArenaTest, TheDaemonCanWriteHeaderAndGateOnly) {
  const Arena arena = MapNew(Shapes(), Access::kDaemon);
  EXPECT_TRUE(Survives([](const Arena& a) { a.header().stop = 1; }, arena));
  EXPECT_TRUE(Survives([](const Arena& a) { a.gate()[3] = 1; }, arena));
  EXPECT_FALSE(Survives([](const Arena& a) { a.host(0).pid = 1; }, arena));
  EXPECT_FALSE(Survives([](const Arena& a) { a.control(0).evidence.tid = 1; }, arena));
  EXPECT_FALSE(Survives([](const Arena& a) { a.bulk(1)[0] = std::byte{1}; }, arena));
}

TEST(ArenaTest, ThePoolHostsMappingIsNotInItsChildren) {
  const Arena arena = MapNew(Shapes(), Access::kPoolHost);
  arena.host(0).pid = 1;
  EXPECT_FALSE(Survives([](const Arena& a) { a.header().stop = 1; }, arena));
}

TEST(ArenaTest, AMovedFromArenaMapsNothing) {
  Arena arena = MapNew(Shapes(), Access::kPoolHost);
  Arena other = std::move(arena);
  EXPECT_EQ(other.num_workers(), 4u);
  arena = std::move(other);
  EXPECT_EQ(arena.num_workers(), 4u);
}

}  // namespace
}  // namespace muster::arena
