#include "worker/host/plumber.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/errno_status.h"
#include "base/status_macros.h"

namespace muster::host {
namespace {

absl::StatusOr<Plumbing::Pipe> MakePipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return ErrnoStatus(errno, "pipe2 between workers");
  return Plumbing::Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

absl::StatusOr<UniqueFd> CopyFd(const UniqueFd& fd) {
  if (!fd.valid()) return UniqueFd();
  UniqueFd copy(fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy.valid()) return ErrnoStatus(errno, "duplicate a descriptor for a worker thread");
  return copy;
}

}  // namespace

absl::StatusOr<InstancePlumbing> InstancePlumbing::Make(const PoolGroup& group) {
  InstancePlumbing instance;
  Plumbing& plumbing = instance.plumbing_;
  for (uint32_t i = 0; i < group.plumbing.pipes; ++i) {
    ASSIGN_OR_RETURN(Plumbing::Pipe pipe, MakePipe());
    plumbing.pipes.push_back(std::move(pipe));
  }
  if (group.plumbing.memory_bytes > 0) {
    void* memory =
        mmap(nullptr, group.plumbing.memory_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
      return ErrnoStatus(errno, absl::StrCat("mmap of ", group.plumbing.memory_bytes, " bytes between workers"));
    }
    plumbing.memory = static_cast<std::byte*>(memory);
    plumbing.memory_bytes = group.plumbing.memory_bytes;
  }
  if (!group.is_program()) RETURN_IF_ERROR(group.type->PlumbMore(group.spec.work(), &plumbing));
  return instance;
}

InstancePlumbing::InstancePlumbing(InstancePlumbing&& other) noexcept
    : plumbing_(std::exchange(other.plumbing_, Plumbing())) {}

InstancePlumbing& InstancePlumbing::operator=(InstancePlumbing&& other) noexcept {
  std::swap(plumbing_, other.plumbing_);
  return *this;
}

InstancePlumbing::~InstancePlumbing() {
  if (plumbing_.memory != nullptr) munmap(plumbing_.memory, plumbing_.memory_bytes);
}

Plumbing InstancePlumbing::Take() && { return std::exchange(plumbing_, Plumbing()); }

absl::StatusOr<Plumbing> InstancePlumbing::Copy() const {
  Plumbing copy;
  for (const Plumbing::Pipe& pipe : plumbing_.pipes) {
    ASSIGN_OR_RETURN(UniqueFd read_end, CopyFd(pipe.read_end));
    ASSIGN_OR_RETURN(UniqueFd write_end, CopyFd(pipe.write_end));
    copy.pipes.push_back({std::move(read_end), std::move(write_end)});
  }
  for (const UniqueFd& fd : plumbing_.descriptors) {
    ASSIGN_OR_RETURN(UniqueFd other, CopyFd(fd));
    copy.descriptors.push_back(std::move(other));
  }
  copy.memory = plumbing_.memory;
  copy.memory_bytes = plumbing_.memory_bytes;
  return copy;
}

}  // namespace muster::host
