// Every work type in a guest: it runs and its report is sound, or the report says why it only marked time.
#ifndef MUSTER_TESTS_GUEST_WORK_TYPES_H_
#define MUSTER_TESTS_GUEST_WORK_TYPES_H_

#include <string>
#include <vector>

#include "tests/guest/guest_fixture.h"

namespace muster {

// A guest's program says: INSTANTIATE_TEST_SUITE_P(TwoCpus, WorkTypeTest, testing::ValuesIn(WorkTypeFields()),
// WorkTypeName);
class WorkTypeTest : public GuestTest, public testing::WithParamInterface<std::string> {
 protected:
  // Whether this report must say why the worker only marked time, by what the daemon says of its guest.
  bool MustMarkTime(const v1::GetServerInfoResponse& info, const v1::WorkerReport& report);
};

// Every arm of muster.v1.Work but custom, of which the framework measures nothing.
std::vector<std::string> WorkTypeFields();

std::string WorkTypeName(const testing::TestParamInfo<std::string>& info);

}  // namespace muster

#endif  // MUSTER_TESTS_GUEST_WORK_TYPES_H_
