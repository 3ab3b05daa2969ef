// Descriptors 0, 1 and 2 belong to the standard streams.
#ifndef MUSTER_BASE_STANDARD_DESCRIPTORS_H_
#define MUSTER_BASE_STANDARD_DESCRIPTORS_H_

#include <fcntl.h>
#include <unistd.h>

namespace muster {

// First thing in main: where the caller has closed one of the three, the next file or socket to be opened would take
// its place, and whatever is printed would go there. A closed one becomes /dev/null opened the wrong way round, so that
// reading or writing still fails, and is told.
inline void FillStandardDescriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    // The lowest that is free is this one.
    [[maybe_unused]] const int filler = open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

}  // namespace muster

#endif  // MUSTER_BASE_STANDARD_DESCRIPTORS_H_
