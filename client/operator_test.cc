#include "client/operator.h"

#include <gtest/gtest.h>

#include "client/client.h"
#include "tests/support/fake_muster.h"

namespace muster {
namespace {

class OperatorTest : public testing::Test {
 protected:
  OperatorTest() : operator_(*Operator::Connect(fake_.address())), client_(*Client::Connect(fake_.address())) {
    v1::WorkloadSpec spec;
    spec.set_num_workers(2);
    pool_ = std::make_unique<WorkloadHandle>(*client_.Spawn(spec));
  }

  FakeMuster fake_;
  Operator operator_;
  Client client_;
  std::unique_ptr<WorkloadHandle> pool_;
};

TEST_F(OperatorTest, SeesAndReadsThePoolsOfOthers) {
  const absl::StatusOr<v1::ListPoolsResponse> pools = operator_.ListPools();
  ASSERT_TRUE(pools.ok()) << pools.status();
  ASSERT_EQ(pools->pools_size(), 1);
  EXPECT_EQ(operator_.Pool(pools->pools(0).pool_id()).Snapshot()->iterations_size(), 2);
}

TEST_F(OperatorTest, DescribesOnePoolWithItsSpec) {
  const WorkloadHandle other = *client_.Spawn(v1::WorkloadSpec());
  const absl::StatusOr<v1::PoolInfo> pool = operator_.DescribePool("p1");
  ASSERT_TRUE(pool.ok()) << pool.status();
  EXPECT_EQ(pool->pool_id(), "p1");
  EXPECT_EQ(pool->resolved_spec().SerializeAsString(), pool_->resolved_spec().SerializeAsString());
  EXPECT_EQ(operator_.DescribePool("p9").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(OperatorTest, ActsWithoutALease) {
  ASSERT_TRUE(operator_.Pool("p1").Place(v1::PlaceRequest()).ok());
  EXPECT_TRUE(fake_.last_place().authority().as_operator());
  EXPECT_TRUE(fake_.last_place().authority().lease_id().empty());
}

TEST_F(OperatorTest, DropTellsWhetherThereWasAPool) {
  EXPECT_TRUE(*operator_.Pool("p1").Drop());
  EXPECT_FALSE(*operator_.Pool("p1").Drop());
}

TEST_F(OperatorTest, RemovesCgroupsOfOthers) {
  EXPECT_TRUE(operator_.RemoveCgroup("cg0").ok());
  EXPECT_EQ(fake_.Count("RemoveCgroup cg0"), 1);
}

TEST_F(OperatorTest, CollectsAPoolOfAnother) {
  int reports = 0;
  const RemotePool pool = operator_.Pool("p1");
  ASSERT_TRUE(pool.Collect(CollectOptions(), [&](v1::WorkerReport&&) { ++reports; }).ok());
  EXPECT_EQ(reports, 2);
  EXPECT_TRUE(pool.Confirm().ok());
}

}  // namespace
}  // namespace muster
