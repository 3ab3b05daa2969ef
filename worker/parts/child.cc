#include "worker/parts/child.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/file_io.h"

namespace muster {
namespace {

constexpr uintptr_t kPage = 4096;
// Before and behind the thread pointer: its thread-local variables and its descriptor. The kernel writes a child's CPU
// into the restartable sequences' area there, and kills a child that has none; rseq(2).
constexpr uintptr_t kKeptAround = 2 * kPage;

struct Extent {
  uintptr_t begin = 0;
  uintptr_t end = 0;
};

void LeaveOut(Extent extent) {
  if (extent.begin < extent.end)
    madvise(reinterpret_cast<void*>(extent.begin), extent.end - extent.begin, MADV_DONTFORK);
}

// "begin-end perms offset device inode name"; proc_pid_maps(5).
void LeaveOutUnlessNeeded(const std::string& line, const Extent& kept) {
  Extent whole;
  char permissions[5] = "";
  if (sscanf(line.c_str(), "%lx-%lx %4s", &whole.begin, &whole.end, permissions) != 3) return;
  if (permissions[2] == 'x' || line.find("[stack]") != std::string::npos || line.find("[v") != std::string::npos)
    return;
  LeaveOut({whole.begin, std::min(whole.end, kept.begin)});
  LeaveOut({std::max(whole.begin, kept.end), whole.end});
}

}  // namespace

pid_t ForkIdleChild() {
#if defined(__x86_64__)
  // Without a library's function: the child has nothing but this code and its stack, perhaps not even a table of
  // addresses.
  long child = SYS_clone;
  register long fourth asm("r10") = 0;
  register long fifth asm("r8") = 0;
  asm volatile(
      "syscall\n"
      "test %%rax, %%rax\n"
      "jnz 2f\n"
      "1: xor %%edi, %%edi\n"
      "mov %[exit], %%eax\n"
      "syscall\n"
      "jmp 1b\n"
      "2:"
      : "+a"(child), "+r"(fourth), "+r"(fifth)
      : "D"(SIGCHLD), "S"(0), "d"(0), [exit] "i"(SYS_exit_group)
      : "rcx", "r11", "memory", "cc");
  if (child >= 0) return static_cast<pid_t>(child);
  errno = static_cast<int>(-child);
  return -1;
#else
  // The raw call: glibc's fork runs handlers and takes the allocator's locks, which the child has no use for.
  const long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (child == 0) {
    for (;;) syscall(SYS_exit_group, 0);
  }
  return static_cast<pid_t>(child);
#endif
}

void ForkOnlyWhatIdleChildrenNeed() {
#if defined(__x86_64__)
  const uintptr_t descriptor = static_cast<uintptr_t>(pthread_self()) / kPage * kPage;
  const Extent kept = {descriptor - kKeptAround, descriptor + kKeptAround};
  const absl::StatusOr<std::string> maps = ReadFile("/proc/self/maps");
  if (!maps.ok()) return;
  for (const absl::string_view line : absl::StrSplit(*maps, '\n')) LeaveOutUnlessNeeded(std::string(line), kept);
#endif
}

}  // namespace muster
