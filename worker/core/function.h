// Functions of users as work: Custom { function { name: "mine" } }.
//
//   void Mine(muster::FunctionContext& context) {
//     while (!context.stopping()) { ...; context.AddUnits(1); context.EndIteration(); }
//   }
//   MUSTER_REGISTER_FUNCTION("mine", Mine);
//
// Linked with //worker:worker_main, it makes a worker binary for `musterd --worker-binary`.
#ifndef MUSTER_WORKER_CORE_FUNCTION_H_
#define MUSTER_WORKER_CORE_FUNCTION_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/cpu_set.h"
#include "worker/core/work_type.h"
#include "worker/meter/meter.h"

namespace muster {

// What a function sees, in its worker, between the gate and its return. The framework fills in no telemetry: what the
// function does not count here stays zero. Valid during the call, on the worker's own thread.
class FunctionContext {
 public:
  FunctionContext(Meter* meter, const WorkerPlace& place, absl::string_view config, CpuSet cpus)
      : meter_(meter), place_(place), config_(config), effective_cpus_(std::move(cpus)) {}
  FunctionContext(const FunctionContext&) = delete;
  FunctionContext& operator=(const FunctionContext&) = delete;

  // True once the pool has been asked to stop: return within 100 ms. A blocking system call returns EINTR then.
  bool stopping() const { return meter_->stopping(); }
  // CPUs that the worker may run on, read when the function was called.
  const CpuSet& effective_cpus() const { return effective_cpus_; }
  // The bytes of the spec.
  absl::string_view config() const { return config_; }
  // Worker, group and position; a seed of its own.
  const WorkerPlace& place() const { return place_; }

  // Work done.
  void AddUnits(uint64_t units) { meter_->AddUnits(units); }
  // Counts an iteration and lets snapshots see it; checks for gaps and migrations whenever the units are a multiple of
  // 1,024.
  void EndIteration() { meter_->EndIteration(); }
  // Samples in ns, kept as those of any work type.
  void WakeSample(uint64_t ns) { meter_->WakeSample(ns); }
  void CostSample(uint64_t ns) { meter_->CostSample(ns); }
  void TimerSample(uint64_t ns) { meter_->TimerSample(ns); }

 private:
  Meter* const meter_;
  const WorkerPlace place_;
  const absl::string_view config_;
  const CpuSet effective_cpus_;
};

// Returns when its work is done or the pool is stopping. What it throws ends the worker as panicked.
using WorkFunction = void (*)(FunctionContext&);

// Registers a function at static initialisation; a second one of the same name aborts the program.
class FunctionRegistration {
 public:
  FunctionRegistration(const char* name, WorkFunction function);
};

// The function of a name; null when this binary has none.
WorkFunction FindFunction(absl::string_view name);

// Names of all functions, ascending.
std::vector<std::string> FunctionNames();

// A step whose only run calls the function; it is no iteration of its own.
std::unique_ptr<Step> MakeFunctionStep(WorkFunction function, const WorkerPlace& place, absl::string_view config);

}  // namespace muster

// Stands once per function, at namespace scope.
#define MUSTER_REGISTER_FUNCTION(name, function) \
  static const ::muster::FunctionRegistration muster_function_registration_##function(name, &function)

#endif  // MUSTER_WORKER_CORE_FUNCTION_H_
