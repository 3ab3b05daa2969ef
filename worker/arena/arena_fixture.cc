#include "worker/arena/arena_fixture.h"

#include <cstring>
#include <utility>

#include "gtest/gtest.h"
#include "worker/arena/checksum.h"

namespace muster::arena {

ArenaFixture::ArenaFixture(const std::vector<WorkerShape>& shapes) {
  absl::StatusOr<UniqueFd> fd = Arena::Create(shapes);
  EXPECT_TRUE(fd.ok()) << fd.status();
  absl::StatusOr<Arena> daemon = Arena::Map(fd->get(), Arena::Access::kDaemon);
  absl::StatusOr<Arena> writable = Arena::Map(fd->get(), Arena::Access::kPoolHost);
  EXPECT_TRUE(daemon.ok()) << daemon.status();
  EXPECT_TRUE(writable.ok()) << writable.status();
  daemon_ = *std::move(daemon);
  writable_ = *std::move(writable);
}

MeterTarget ArenaFixture::Target(uint32_t worker) const {
  const WorkerShape shape = ShapeOf(writable_.host(worker));
  return {.header = &writable_.header(),
          .control = &control(worker),
          .live = &writable_.live(worker),
          .bulk = TakeApart(writable_.bulk(worker), shape),
          .shape = shape,
          .seed = worker + 1};
}

void ArenaFixture::Finish(uint32_t worker, const Final& final, bool panicked) const {
  Control& record = control(worker);
  record.final = final;
  record.evidence_ready = 1;
  Core core = {};
  const uint64_t published = record.cores_published.load();
  if (published > 0) memcpy(&core, record.cores[(published - 1) % 2], sizeof(core));
  record.checksum = RecordChecksum(record.evidence, record.final, core);
  writable_.live(worker).state = panicked ? State::kPanicked : State::kFinished;
}

void ArenaFixture::SetExit(uint32_t worker, Exit exit, int32_t value) const {
  writable_.host(worker).exit_value = value;
  writable_.host(worker).exit = exit;
}

}  // namespace muster::arena
