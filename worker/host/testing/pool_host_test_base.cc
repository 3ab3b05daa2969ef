#include "worker/host/testing/pool_host_test_base.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/descriptors_testing.h"

namespace muster::host {

PoolHostTestBase::PoolHostTestBase() {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  descriptors_before_ = CountDescriptors(getpid());
}

PoolHostTestBase::~PoolHostTestBase() {
  EXPECT_EQ(SweepOrphans(), 0) << "processes of the pool were left";
  EXPECT_EQ(CountDescriptors(getpid()), descriptors_before_) << "descriptors were left";
}

int PoolHostTestBase::SweepOrphans() {
  const std::vector<pid_t> pids = ChildrenLeft();
  for (const pid_t pid : pids) {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
  return static_cast<int>(pids.size());
}

}  // namespace muster::host
