// Somebody whom a pool must leave alone.
#ifndef MUSTER_WORKER_WORK_TESTING_BYSTANDER_H_
#define MUSTER_WORKER_WORK_TESTING_BYSTANDER_H_

#include <sys/types.h>

#include <string>

#include "base/cgroup_dir.h"

namespace muster {

// What others can do to a task, as text: its CPUs and memory nodes, class, priority and nice value, cgroup, and the
// signals that wait for it. Empty when there is no such task.
std::string TaskState(pid_t task);

// A process beside the group, with every signal blocked, so that one sent to it stays to be seen. It is a grandchild:
// the children of the test, which stands for the pool host, are the pool. The destructor ends it.
class Bystander {
 public:
  Bystander();
  Bystander(const Bystander&) = delete;
  Bystander& operator=(const Bystander&) = delete;
  ~Bystander();

  pid_t pid() const { return pid_; }

  void MoveTo(const CgroupDir& dir);
  // Empty when nothing was done to it, and nothing to the calling process, since the construction or the move;
  // otherwise what they were and what they are.
  std::string Change() const;

 private:
  pid_t keeper_ = -1;  // its parent, which reaps it and ends
  pid_t pid_ = -1;
  std::string before_;
  std::string own_before_;
};

}  // namespace muster

#endif  // MUSTER_WORKER_WORK_TESTING_BYSTANDER_H_
