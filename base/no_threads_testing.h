// A machine on which no thread can be made, for tests.
#ifndef MUSTER_BASE_NO_THREADS_TESTING_H_
#define MUSTER_BASE_NO_THREADS_TESTING_H_

#include <pthread.h>

#include <cstddef>

namespace muster {

// While it lives, threads of this process ask for stacks that no address space has room for.
class NoThreadsForTesting {
 public:
  NoThreadsForTesting() {
    pthread_getattr_default_np(&former_);
    pthread_attr_t huge;
    pthread_attr_init(&huge);
    pthread_attr_setstacksize(&huge, size_t{1} << 50);
    pthread_setattr_default_np(&huge);
    pthread_attr_destroy(&huge);
  }
  NoThreadsForTesting(const NoThreadsForTesting&) = delete;
  NoThreadsForTesting& operator=(const NoThreadsForTesting&) = delete;
  ~NoThreadsForTesting() {
    pthread_setattr_default_np(&former_);
    pthread_attr_destroy(&former_);
  }

 private:
  pthread_attr_t former_;
};

}  // namespace muster

#endif  // MUSTER_BASE_NO_THREADS_TESTING_H_
