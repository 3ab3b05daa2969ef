// Scratch cgroups of the real hierarchy and processes to put into them, for tests that run as root.
#ifndef MUSTER_BASE_CGROUP_TESTING_H_
#define MUSTER_BASE_CGROUP_TESTING_H_

#include <sys/types.h>

#include <functional>
#include <string>

#include "base/cgroup_dir.h"
#include "base/pidfd.h"

namespace muster {

// Mount point of cgroup version 2; fails the test when there is none.
std::string TestCgroupMount();

// A name that no other test has, nor this one had before. Thread-safe.
std::string UniqueCgroupName();

// A new cgroup with a unique name directly below the mount. The destructor kills and removes all of it, and fails the
// test when it cannot.
class ScratchCgroup {
 public:
  ScratchCgroup();
  ~ScratchCgroup();
  ScratchCgroup(const ScratchCgroup&) = delete;
  ScratchCgroup& operator=(const ScratchCgroup&) = delete;

  const CgroupDir& dir() const { return dir_; }
  const CgroupDir& parent() const { return mount_; }
  const std::string& name() const { return name_; }
  // Absolute.
  std::string path() const;

 private:
  const CgroupDir mount_;
  const std::string name_;
  const CgroupDir dir_;
};

// A forked child that blocks for ever; it dies with the test. The destructor kills and reaps it.
class TestChild {
 public:
  // It closes every descriptor above 2.
  TestChild();
  // It keeps all descriptors and runs `body` first.
  explicit TestChild(std::function<void()> body);
  ~TestChild();
  TestChild(const TestChild&) = delete;
  TestChild& operator=(const TestChild&) = delete;

  pid_t pid() const { return pid_; }
  // Whether it has ended by now.
  bool HasEnded() const;
  // Waits for its end, which comes a little after its cgroup has become empty.
  bool Ends() const;
  // Writes its number into cgroup.procs.
  void MoveTo(const CgroupDir& dir) const;

 private:
  pid_t pid_;
  Pidfd pidfd_;
};

}  // namespace muster

#endif  // MUSTER_BASE_CGROUP_TESTING_H_
