// /proc/stat as Schbench's auto_rps reads it, and the rates that follow from any two readings.
#include "tests/fuzz/fuzz.h"
#include "worker/work/schbench/auto_rate.h"

namespace muster::fuzz {

std::vector<std::string> Seeds() {
  return {"cpu  9 9 9 9 9 9 9 9 9 9\ncpu0 1 2 4 100 50 8 16 32 1000 2000\ncpu1 1 0 0 10 0 0 0 0 0 0\nintr 5\n",
          "cpu0 1 2 3 4 5\n", "cpu0 18446744073709551615 1 1 1 1 1\n", "cpu1 x\n", ""};
}

}  // namespace muster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text = muster::fuzz::TextOf(data, size);
  muster::AutoRate rate(50, *muster::CpuSet::Parse("0-1"), 10);
  (void)rate.EndPeriod(text.substr(0, size / 2));
  (void)rate.EndPeriod(text.substr(size / 2));
  (void)rate.EndPeriod(text);
  muster::fuzz::Require(rate.rate() >= 1 && rate.rate() <= muster::kMaxAutoRate, "a rate is within its bounds");
  return 0;
}
