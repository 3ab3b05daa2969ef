#include "worker/arena/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/errno_status.h"
#include "base/status_macros.h"
#include "worker/arena/histogram.h"

namespace muster::arena {
namespace {

constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW;

uint64_t PageUp(uint64_t bytes) { return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes; }
uint64_t LineUp(uint64_t bytes) { return (bytes + kLineBytes - 1) / kLineBytes * kLineBytes; }

uint64_t StoreBytes(const WorkerShape& shape) {
  return LineUp(sizeof(StoreHead) + (shape.sample_capacity + uint64_t{kHistogramBuckets}) * sizeof(uint64_t));
}

// Offsets of the regions, without the counters.
struct Plan {
  uint64_t gate, order, host, parts, total;
};

Plan PlanFor(const std::vector<WorkerShape>& workers) {
  Plan plan;
  plan.gate = PageUp(sizeof(Header));
  plan.order = PageUp(plan.gate + (workers.size() + NumCallWords(workers.size())) * sizeof(GateWord));
  plan.host = PageUp(plan.order + workers.size() * sizeof(uint32_t));
  plan.parts = PageUp(plan.host + workers.size() * sizeof(HostEntry));
  plan.total = plan.parts;
  for (const WorkerShape& shape : workers) plan.total += PartBytes(shape);
  return plan;
}

absl::Status LayOut(int fd, const std::vector<WorkerShape>& workers) {
  const Plan plan = PlanFor(workers);
  void* base = mmap(nullptr, plan.parts, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (base == MAP_FAILED) return ErrnoStatus(errno, "mmap of the new arena");
  Header* header = new (base) Header{};
  header->version = kVersion;
  header->num_workers = workers.size();
  header->gate_offset = plan.gate;
  header->order_offset = plan.order;
  header->host_offset = plan.host;
  header->parts_offset = plan.parts;
  header->total_bytes = plan.total;
  header->magic = kMagic;
  HostEntry* entries = reinterpret_cast<HostEntry*>(static_cast<std::byte*>(base) + plan.host);
  uint32_t* order = reinterpret_cast<uint32_t*>(static_cast<std::byte*>(base) + plan.order);
  uint64_t part = plan.parts;
  for (size_t i = 0; i < workers.size(); ++i) {
    HostEntry* entry = new (entries + i) HostEntry{};
    entry->part_offset = part;
    entry->bulk_bytes = BulkBytes(workers[i]);
    entry->stream_set = workers[i].stream_set;
    entry->sample_capacity = workers[i].sample_capacity;
    entry->migration_capacity = workers[i].migration_capacity;
    entry->group_idx = workers[i].group_idx;
    entry->telemetry_fd = -1;
    order[i] = i;
    part += PartBytes(workers[i]);
  }
  munmap(base, plan.parts);
  return absl::OkStatus();
}

absl::StatusOr<UniqueFd> MakeMemfd() {
  UniqueFd fd(memfd_create("muster-arena", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.valid()) return ErrnoStatus(errno, "memfd_create of the arena");
  return fd;
}

bool IsSealed(int fd) {
  const int seals = fcntl(fd, F_GET_SEALS);
  return seals >= 0 && (seals & kSeals) == kSeals;
}

}  // namespace

uint64_t BulkBytes(const WorkerShape& shape) {
  uint64_t bytes = LineUp(shape.migration_capacity * sizeof(MigrationEntry));
  for (uint32_t stream = 0; stream < kStreams; ++stream) {
    if ((shape.stream_set >> stream & 1) != 0) bytes += StoreBytes(shape);
  }
  return PageUp(bytes);
}

uint64_t PartBytes(const WorkerShape& shape) { return kControlBytes + BulkBytes(shape); }

uint64_t ArenaBytes(const std::vector<WorkerShape>& workers) { return PlanFor(workers).total; }

absl::StatusOr<UniqueFd> Arena::Create(const std::vector<WorkerShape>& workers, const HugeFiles* huge) {
  const uint64_t bytes = ArenaBytes(workers);
  const uint64_t average_part = workers.empty() ? 0 : bytes / workers.size();
  ASSIGN_OR_RETURN(UniqueFd fd, huge != nullptr && huge->Suits(average_part) ? huge->Make() : MakeMemfd());
  if (ftruncate(fd.get(), bytes) != 0) {
    return ErrnoStatus(errno, absl::StrCat("making an arena of ", bytes, " bytes"));
  }
  RETURN_IF_ERROR(LayOut(fd.get(), workers));
  if (!HugeFiles::Made(fd.get()) && fcntl(fd.get(), F_ADD_SEALS, kSeals) != 0) {
    return ErrnoStatus(errno, "sealing the arena");
  }
  return fd;
}

absl::StatusOr<Arena> Arena::Map(int fd, Access access) {
  struct stat status;
  if (fstat(fd, &status) != 0) return ErrnoStatus(errno, "fstat of the arena");
  const uint64_t bytes = status.st_size;
  if (bytes < kPageBytes || !(IsSealed(fd) || HugeFiles::Made(fd))) {
    return absl::InvalidArgumentError("the descriptor is neither a sealed arena nor one in huge pages");
  }
  const int protection = access == Access::kDaemon ? PROT_READ : PROT_READ | PROT_WRITE;
  void* base = mmap(nullptr, bytes, protection, MAP_SHARED | MAP_NORESERVE, fd, 0);
  if (base == MAP_FAILED) return ErrnoStatus(errno, absl::StrCat("mmap of an arena of ", bytes, " bytes"));
  Arena arena(static_cast<std::byte*>(base), bytes);
  const Header& header = arena.header();
  if (header.magic != kMagic || header.version != kVersion || header.total_bytes != bytes) {
    return absl::InvalidArgumentError("the descriptor holds no arena of this version");
  }
  if (access == Access::kDaemon) {
    RETURN_IF_ERROR(arena.MapSharedWritable(fd));
  } else if (madvise(base, bytes, MADV_DONTFORK) != 0) {
    return ErrnoStatus(errno, "madvise(MADV_DONTFORK) of the arena");
  }
  return arena;
}

absl::Status Arena::MapSharedWritable(int fd) {
  void* shared = mmap(nullptr, SharedRange().bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (shared == MAP_FAILED) return ErrnoStatus(errno, "mmap of the arena's shared part");
  shared_ = static_cast<std::byte*>(shared);
  return absl::OkStatus();
}

Arena::Arena(Arena&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)),
      shared_(std::exchange(other.shared_, nullptr)) {}

Arena& Arena::operator=(Arena&& other) noexcept {
  std::swap(base_, other.base_);
  std::swap(bytes_, other.bytes_);
  std::swap(shared_, other.shared_);
  return *this;
}

Arena::~Arena() {
  if (shared_ != base_) munmap(shared_, SharedRange().bytes);
  if (base_ != nullptr) munmap(base_, bytes_);
}

Range Arena::PartsRange(uint32_t first, uint32_t count) const {
  if (count == 0) return {};
  const HostEntry& last = host(first + count - 1);
  return {host(first).part_offset, last.part_offset + kControlBytes + last.bulk_bytes - host(first).part_offset};
}

Bulk TakeApart(std::byte* bulk, const WorkerShape& shape) {
  Bulk parts;
  parts.migrations = reinterpret_cast<MigrationEntry*>(bulk);
  std::byte* at = bulk + LineUp(shape.migration_capacity * sizeof(MigrationEntry));
  for (uint32_t stream = 0; stream < kStreams; ++stream) {
    if ((shape.stream_set >> stream & 1) == 0) continue;
    Store& store = parts.stores[stream];
    store.head = reinterpret_cast<StoreHead*>(at);
    store.samples = reinterpret_cast<std::atomic<uint64_t>*>(at + sizeof(StoreHead));
    store.buckets = store.samples + shape.sample_capacity;
    at += StoreBytes(shape);
  }
  return parts;
}

WorkerShape ShapeOf(const HostEntry& entry) {
  return {entry.group_idx, entry.stream_set, entry.sample_capacity, entry.migration_capacity};
}

}  // namespace muster::arena
