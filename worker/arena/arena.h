// Making and mapping the arena, and finding one's way in it.
#ifndef MUSTER_WORKER_ARENA_ARENA_H_
#define MUSTER_WORKER_ARENA_ARENA_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/unique_fd.h"
#include "worker/arena/huge_files.h"
#include "worker/arena/layout.h"

namespace muster::arena {

// What one worker needs of the arena.
struct WorkerShape {
  uint32_t group_idx = 0;
  uint32_t stream_set = 0;  // bit 1 << Stream for each stream that its work type fills
  uint32_t sample_capacity = 0;
  uint32_t migration_capacity = 0;
};

// A byte range of the arena.
struct Range {
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

// Bytes of bulk that a shape takes, and of the whole part: multiples of the page.
uint64_t BulkBytes(const WorkerShape& shape);
uint64_t PartBytes(const WorkerShape& shape);

// Bytes of the whole arena for these workers.
uint64_t ArenaBytes(const std::vector<WorkerShape>& workers);

// Unmaps when destroyed. Move-only; a moved-from object maps nothing. The accessors are thread-safe, what they point to
// is synchronised by its own atomics.
class Arena {
 public:
  // What a process may do with its mapping.
  enum class Access {
    kDaemon,    // header and gate words writable, everything else read-only
    kPoolHost,  // header, gate words, host table writable, control and bulk not mapped into children
  };

  // Makes a file of the right size, lays it out, and returns its descriptor: in `huge` if that is given and suits the
  // size of a worker's part, else a memfd sealed against shrinking and growing. A file in huge pages cannot be sealed;
  // it has no name, so that only who holds a descriptor of it can change its size. Fails with RESOURCE_EXHAUSTED when
  // the memory is not to be had.
  static absl::StatusOr<UniqueFd> Create(const std::vector<WorkerShape>& workers, const HugeFiles* huge = nullptr);

  // Maps the arena `fd`, after checking its kind, size and header: a file that is no arena is INVALID_ARGUMENT.
  static absl::StatusOr<Arena> Map(int fd, Access access);

  Arena() = default;
  Arena(Arena&& other) noexcept;
  Arena& operator=(Arena&& other) noexcept;
  ~Arena();

  uint32_t num_workers() const { return header().num_workers; }
  Header& header() const { return *reinterpret_cast<Header*>(shared_); }
  GateWord* gate() const { return reinterpret_cast<GateWord*>(shared_ + header().gate_offset); }
  uint32_t* wake_order() const { return reinterpret_cast<uint32_t*>(shared_ + header().order_offset); }
  HostEntry& host(uint32_t worker) const { return reinterpret_cast<HostEntry*>(base_ + header().host_offset)[worker]; }
  // What the worker wrote: hostile to a reader.
  Control& control(uint32_t worker) const { return *reinterpret_cast<Control*>(base_ + host(worker).part_offset); }
  Live& live(uint32_t worker) const { return LiveIn(control(worker), worker); }
  std::byte* bulk(uint32_t worker) const { return BulkIn(base_ + host(worker).part_offset); }

  static Live& LiveIn(Control& control, uint32_t worker) {
    return *reinterpret_cast<Live*>(control.live_colours + (worker % kLiveColours) * kLineBytes);
  }

  static std::byte* BulkIn(std::byte* part) { return part + kControlBytes; }

  // Where the workers [first, first + count) have their parts, which follow each other.
  Range PartsRange(uint32_t first, uint32_t count) const;
  // Header, gate words and wake order: what every worker sees, read-only.
  Range SharedRange() const { return {0, header().host_offset}; }

 private:
  Arena(std::byte* base, uint64_t bytes) : base_(base), bytes_(bytes), shared_(base) {}

  absl::Status MapSharedWritable(int fd);

  std::byte* base_ = nullptr;
  uint64_t bytes_ = 0;
  // Where SharedRange is seen: for musterd a writable mapping of its own, so that the large one stays in one piece, and
  // with it in huge pages.
  std::byte* shared_ = nullptr;
};

// One worker's bulk region, taken apart.
struct Store {
  StoreHead* head = nullptr;
  std::atomic<uint64_t>* samples = nullptr;  // capacity of them
  std::atomic<uint64_t>* buckets = nullptr;  // kHistogramBuckets of them
};
struct Bulk {
  MigrationEntry* migrations = nullptr;
  Store stores[kStreams];  // null pointers for streams that the worker does not fill
};
Bulk TakeApart(std::byte* bulk, const WorkerShape& shape);

// The shape that the host table states for a worker.
WorkerShape ShapeOf(const HostEntry& entry);

}  // namespace muster::arena

#endif  // MUSTER_WORKER_ARENA_ARENA_H_
