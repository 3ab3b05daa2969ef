// A limit on processes, for tests that run as root.
#ifndef MUSTER_BASE_PIDS_GROUP_TESTING_H_
#define MUSTER_BASE_PIDS_GROUP_TESTING_H_

#include <sys/types.h>

#include <string>

namespace muster {

// A new group of the version 1 pids controller, which hybrid machines have. Every act that fails fails the test. The
// destructor removes the group: whoever was put in has ended by then, or was taken out.
class PidsGroupForTesting {
 public:
  // False: there is no such controller here.
  static bool IsPossible();

  PidsGroupForTesting();
  ~PidsGroupForTesting();
  PidsGroupForTesting(const PidsGroupForTesting&) = delete;
  PidsGroupForTesting& operator=(const PidsGroupForTesting&) = delete;

  void PutIn(pid_t pid) const;
  // Into the group above.
  void TakeOut(pid_t pid) const;
  int Used() const;
  // A number, or "max".
  void SetMax(const std::string& max) const;

 private:
  const std::string parent_;
  const std::string path_;
};

}  // namespace muster

#endif  // MUSTER_BASE_PIDS_GROUP_TESTING_H_
