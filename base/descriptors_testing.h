// Counting descriptors, for tests of leaks.
#ifndef MUSTER_BASE_DESCRIPTORS_TESTING_H_
#define MUSTER_BASE_DESCRIPTORS_TESTING_H_

#include <sys/types.h>

namespace muster {

// Descriptors that a process has open; -1 when it cannot be told. Of the caller itself, one more, with which it looks.
int CountDescriptors(pid_t pid);

}  // namespace muster

#endif  // MUSTER_BASE_DESCRIPTORS_TESTING_H_
