// Making and ending processes.
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/bare/bare.h"

namespace muster::bench {
namespace {

[[noreturn]] void WaitForever() {
  static Word never{0};
  while (true) Wait(never, 0);
}

int OpenCgroup(const Arguments& arguments, size_t index) {
  if (index >= arguments.size()) return -1;
  const int fd = open(arguments[index].c_str(), O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) Fail(arguments[index].c_str());
  return fd;
}

}  // namespace

int Spawn(const Arguments& arguments) {
  const uint32_t workers = Number(arguments, 0);
  const int cgroup = OpenCgroup(arguments, 1);
  Meeting* const ready = Meeting::Make(workers);
  Children children;
  const uint64_t began_ns = MonotonicNs();
  children.Make(
      workers,
      [ready](uint32_t) {
        ready->Arrive();
        WaitForever();
      },
      cgroup);
  ready->Await();
  const uint64_t ready_ns = MonotonicNs();
  children.KillAndReap();
  Say("spawn_ns", ready_ns - began_ns);
  Say("reap_ns", MonotonicNs() - ready_ns);
  return 0;
}

int DieWithParent(const Arguments& arguments) {
  const uint32_t workers = Number(arguments, 0);
  Meeting* const ready = Meeting::Make(workers);
  Children children;
  children.Make(workers, [ready](uint32_t) {
    ready->Arrive();
    WaitForever();
  });
  ready->Await();
  for (const pid_t pid : children.pids()) Say("pid", pid);
  puts("ready");
  fflush(stdout);
  // The driver kills us; it is gone when our standard input ends.
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
  return 0;
}

int Place(const Arguments& arguments) {
  const uint32_t workers = Number(arguments, 0);
  const int cgroup = OpenCgroup(arguments, 1);
  Children children;
  Meeting* const ready = Meeting::Make(workers);
  children.Make(workers, [ready](uint32_t) {
    ready->Arrive();
    WaitForever();
  });
  ready->Await();
  const int procs = openat(cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC);
  if (procs < 0) Fail("cgroup.procs");
  const uint64_t began_ns = MonotonicNs();
  for (const pid_t pid : children.pids()) {
    char text[16];
    const int length = snprintf(text, sizeof(text), "%d", pid);
    if (write(procs, text, length) != length) Fail("write to cgroup.procs");
  }
  Say("place_ns", MonotonicNs() - began_ns);
  return 0;
}

int Populate(const Arguments& arguments) {
  // Whole pages: each piece is mapped by itself.
  const uint64_t bytes = (Number(arguments, 0) + 4095) / 4096 * 4096;
  const uint32_t pieces = Number(arguments, 1);
  const int fd = memfd_create("populate", MFD_CLOEXEC);
  if (fd < 0 || ftruncate(fd, bytes * pieces) != 0) Fail("memfd_create");
  Meeting* const ready = Meeting::Make(pieces);
  Children children;
  const uint64_t began_ns = MonotonicNs();
  if (fallocate(fd, 0, 0, bytes * pieces) != 0) Fail("fallocate");
  children.Make(pieces, [&](uint32_t index) {
    void* const piece =
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, static_cast<off_t>(index * bytes));
    if (piece == MAP_FAILED) _exit(1);
    ready->Arrive();
    WaitForever();
  });
  ready->Await();
  Say("populated_spawn_ns", MonotonicNs() - began_ns);
  return 0;
}

}  // namespace muster::bench
