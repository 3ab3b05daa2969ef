// A worker binary with a function that fills all three sample vectors.
#include <time.h>

#include "worker/arena/layout.h"
#include "worker/core/function.h"
#include "worker/host/worker_main.h"

namespace muster {
namespace {

void Fill(FunctionContext& context) {
  // Latencies as they come: around 100 us, so that 17 bits hold most.
  uint64_t ns = 1;
  for (uint32_t i = 0; i < arena::kMaxSamples; ++i) {
    ns = ns * 75 % 65'537 + i % 7;
    context.WakeSample(ns);
    context.CostSample(ns + 40'000);
    context.TimerSample(ns + 60'000);
  }
  context.AddUnits(1);
  context.EndIteration();
  const timespec slice = {0, 100'000'000};
  while (!context.stopping()) nanosleep(&slice, nullptr);
}
MUSTER_REGISTER_FUNCTION("fill", Fill);

}  // namespace
}  // namespace muster

int main(int argc, char** argv) { return muster::WorkerMain(argc, argv); }
