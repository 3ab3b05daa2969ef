// Makes a process heavy before its main: LD_PRELOAD with BALLAST_MB (private memory, all pages in place) or BALLAST_FDS
// (open descriptors).
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

namespace {

uint64_t Wanted(const char* name) {
  const char* const text = getenv(name);
  return text == nullptr ? 0 : strtoull(text, nullptr, 10);
}

__attribute__((constructor)) void TakeBallast() {
  const uint64_t bytes = Wanted("BALLAST_MB") << 20;
  if (bytes > 0) {
    void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) abort();
    memset(memory, 1, bytes);
  }
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) abort();
  limit.rlim_cur = limit.rlim_max;
  const uint64_t descriptors = Wanted("BALLAST_FDS");
  if (descriptors > 0 && setrlimit(RLIMIT_NOFILE, &limit) != 0) abort();
  // Above what the daemon is handed by number.
  for (uint64_t i = 0; i < descriptors; ++i) {
    const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fcntl(fd, F_DUPFD_CLOEXEC, 256) < 0) abort();
  }
}

}  // namespace
