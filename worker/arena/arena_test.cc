#include "worker/arena/arena.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

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
  const Range control = arena.ControlRange(1, 2);
  EXPECT_EQ(control.offset % kPageBytes, 0u);
  EXPECT_EQ(control.bytes, 2 * kControlBytes);
  const Range bulk = arena.BulkRange(1, 2);
  EXPECT_EQ(bulk.offset % kPageBytes, 0u);
  EXPECT_EQ(bulk.bytes, BulkBytes(Shapes()[1]) + BulkBytes(Shapes()[2]));
  EXPECT_EQ(arena.BulkRange(0, 0).bytes, 0u);
  EXPECT_EQ(arena.SharedRange().offset, 0u);
  EXPECT_LE(arena.SharedRange().bytes, arena.header().control_offset);
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
  EXPECT_FALSE(Arena::Map(-1, Access::kDaemon).ok());
}

TEST(ArenaTest, MoreThanTheMachineHasIsAnError) {
  const WorkerShape largest = {.stream_set = 7, .sample_capacity = kMaxSamples, .migration_capacity = kMaxMigrations};
  EXPECT_GT(BulkBytes(largest), 2'400'000u);
  EXPECT_EQ(ArenaBytes({largest, largest}) - ArenaBytes({largest}), BulkBytes(largest) + kControlBytes);
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
