// What every test of a pool host checks besides its own claim: nothing is left.
#ifndef MUSTER_WORKER_HOST_TESTING_POOL_HOST_TEST_BASE_H_
#define MUSTER_WORKER_HOST_TESTING_POOL_HOST_TEST_BASE_H_

#include "gtest/gtest.h"
#include "worker/host/testing/host_driver.h"

namespace muster::host {

// The test takes in orphans, as musterd does; at its end no child and no further descriptor may be left.
class PoolHostTestBase : public testing::Test {
 protected:
  PoolHostTestBase();
  // After the members of the derived test, so after its pool hosts.
  ~PoolHostTestBase() override;

  // Kills and reaps the orphans that were given to the test, and returns how many there were.
  int SweepOrphans();

 private:
  int descriptors_before_;
};

}  // namespace muster::host

#endif  // MUSTER_WORKER_HOST_TESTING_POOL_HOST_TEST_BASE_H_
