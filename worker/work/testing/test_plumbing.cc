#include "worker/work/testing/test_plumbing.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "base/errno_status.h"

namespace muster {

absl::Status MakePlumbing(const WorkType& type, const v1::Work& work, Plumbing* plumbing) {
  const PlumbingRequest request = type.Plumb(work);
  for (uint32_t i = 0; i < request.pipes; ++i) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return ErrnoStatus(errno, "pipe2");
    plumbing->pipes.push_back({UniqueFd(ends[0]), UniqueFd(ends[1])});
  }
  if (request.memory_bytes != 0) {
    void* const memory = mmap(nullptr, request.memory_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return ErrnoStatus(errno, "mmap of shared memory");
    plumbing->memory = static_cast<std::byte*>(memory);
    plumbing->memory_bytes = request.memory_bytes;
  }
  return type.PlumbMore(work, plumbing);
}

Plumbing Duplicate(const Plumbing& plumbing) {
  const auto copy = [](const UniqueFd& fd) { return UniqueFd(fcntl(fd.get(), F_DUPFD_CLOEXEC, 0)); };
  Plumbing own;
  for (const Plumbing::Pipe& pipe : plumbing.pipes) own.pipes.push_back({copy(pipe.read_end), copy(pipe.write_end)});
  for (const UniqueFd& fd : plumbing.descriptors) own.descriptors.push_back(copy(fd));
  own.memory = plumbing.memory;
  own.memory_bytes = plumbing.memory_bytes;
  return own;
}

}  // namespace muster
