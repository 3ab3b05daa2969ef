// What CpuSet::Parse takes, ToString writes so that it is taken again.
#include "base/cpu_set.h"
#include "tests/fuzz/fuzz.h"

namespace muster::fuzz {

std::vector<std::string> Seeds() {
  return {"", "0", "0-3,8", "1,3,5-7\n", " 0-511 ", "65535", "65536", "3-1", "0-", "1,,2", "0-3,2-5"};
}

}  // namespace muster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using muster::fuzz::Require;
  const auto set = muster::CpuSet::Parse(muster::fuzz::TextOf(data, size));
  if (!set.ok()) return 0;
  const auto again = muster::CpuSet::Parse(set->ToString());
  Require(again.ok(), "what is written is taken");
  Require(*again == *set, "and is the same set");
  Require(set->Ids().size() == set->Count(), "the count is that of the ids");
  Require(set->empty() || set->Ids().back() <= muster::CpuSet::kMaxId, "no id is above the largest");
  return 0;
}
