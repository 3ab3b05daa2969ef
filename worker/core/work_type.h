// What a work type is: a folder worker/work/<arm>/ registers one WorkType; everything else finds it by its arm of
// muster.v1.Work.
//
// Life of a work type's objects: Describe and Validate run in the pool host before anything is forked (and Describe for
// the catalogue). Plumb runs in the pool host once per group instance. MakeStep runs in the worker during its setup,
// before the gate. Step::Run runs in the worker's loop.
#ifndef MUSTER_WORKER_CORE_WORK_TYPE_H_
#define MUSTER_WORKER_CORE_WORK_TYPE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/unique_fd.h"
#include "muster/v1/work.pb.h"

namespace muster {

class Meter;

// Streams of samples that a type fills, as bits 1 << arena::Stream.
inline constexpr uint32_t kNoSamples = 0;
inline constexpr uint32_t kWakeSamples = 1 << 0;
inline constexpr uint32_t kCostSamples = 1 << 1;
inline constexpr uint32_t kTimerSamples = 1 << 2;

// A need of the machine.
struct Need {
  std::string need;       // as "CAP_SYS_NICE"
  bool met = false;       // on this machine, now
  std::string otherwise;  // what the type does without it
};

// What the catalogue says of a type besides its parameters (which stand in the descriptor).
struct WorkTypeDescription {
  std::string summary;              // what it provokes in the scheduler, one sentence
  std::string units_per_iteration;  // with default parameters: "1024", or a formula
  std::string group_size_rule;      // "fan_out + 1"; empty when the group size is fixed
  std::vector<Need> needs;
  std::vector<std::string> functions;  // Custom: the linked-in functions
  bool runs_in_threads = true;         // false: fork mode only
  std::string why_not_threads;         // for the refusal
};

// Pipes, memory and other descriptors that the members of one group instance share.
struct Plumbing {
  struct Pipe {
    UniqueFd read_end;
    UniqueFd write_end;
  };
  std::vector<Pipe> pipes;
  std::vector<UniqueFd> descriptors;  // of other kinds, in an order that the type knows
  std::byte* memory = nullptr;        // zeroed, shared, page-aligned; null when the type asked for none
  size_t memory_bytes = 0;
};

// What Plumb asks for.
struct PlumbingRequest {
  uint32_t pipes = 0;
  size_t memory_bytes = 0;
};

// Where a worker stands.
struct WorkerPlace {
  uint32_t worker = 0;      // in the pool
  uint32_t group_idx = 0;   // group of the pool
  uint32_t position = 0;    // within its group instance
  uint32_t group_size = 1;  // members of the instance
  uint32_t instance = 0;    // of the group
  bool in_thread = false;   // shares its process with neighbours
  uint64_t seed = 0;        // of this worker; not 0
  // Highest real-time priority that a worker may have; 0: it may have none.
  uint32_t max_rt_priority = 98;
};

enum class StepResult {
  kContinue,  // counts as an iteration; again
  kDone,      // counts as an iteration; the work has ended by itself
  kAbandon,   // does not count; the work cannot go on (the report is completed all the same)
};

// One worker's work. Destroyed after the loop, in the worker.
class Step {
 public:
  virtual ~Step() = default;

  // Runs one iteration. Must return within 100 ms of a stop: every blocking call in it goes through core/blocking.h,
  // every long loop looks at meter.stopping(). Neither allocates, nor logs, nor reads /proc.
  virtual StepResult Run(Meter& meter) = 0;

  // Where it lies: worker/core/step_cradle.h.
  static void* operator new(size_t bytes);
  static void* operator new(size_t bytes, std::align_val_t alignment);
  static void operator delete(void* step) noexcept;
  static void operator delete(void* step, std::align_val_t alignment) noexcept;
};

class WorkType {
 public:
  virtual ~WorkType() = default;

  virtual WorkTypeDescription Describe() const = 0;

  // Streams that a worker with this work may fill. `work` may be the type's defaults, also where Validate refuses
  // those.
  virtual uint32_t Streams(const v1::Work& work) const = 0;

  // Streams that only some parameters fill, and the defaults do not. Arenas are sized for all of them.
  virtual uint32_t StreamsOfSomeParameters() const { return kNoSamples; }

  // Members of one group instance. `work` is resolved (all defaults filled in) and within its ranges, here and below.
  virtual uint32_t GroupSize(const v1::Work&) const { return 1; }

  // Rules between fields. An error's message begins with the field, as "phases: at least one is needed".
  virtual absl::Status Validate(const v1::Work&) const { return absl::OkStatus(); }

  virtual PlumbingRequest Plumb(const v1::Work&) const { return {}; }

  // Makes descriptors of other kinds for one instance, after its pipes and memory were made.
  virtual absl::Status PlumbMore(const v1::Work&, Plumbing*) const { return absl::OkStatus(); }

  // How long a worker may take to end after a stop beyond the usual 100 ms, for draining threads of its own.
  virtual absl::Duration DrainBound(const v1::Work&) const { return absl::ZeroDuration(); }

  // True for the member whose report says is_messenger.
  virtual bool IsMessenger(const WorkerPlace&) const { return false; }

  // Makes the worker's step. Takes from `plumbing` what is this member's and closes nothing: the runner closes the
  // rest.
  virtual absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace& place,
                                                         Plumbing& plumbing) const = 0;
};

// Registers a type for an arm of Work at static initialisation; a second one for the same arm aborts the program.
class WorkTypeRegistration {
 public:
  WorkTypeRegistration(v1::Work::TypeCase arm, const WorkType* type);
};

// The type of an arm; null for one that no folder implements.
const WorkType* FindWorkType(v1::Work::TypeCase arm);

}  // namespace muster

// Stands once in a type's folder: MUSTER_WORK_TYPE(kSpinWait, SpinWaitType);
#define MUSTER_WORK_TYPE(arm, Type)                                                               \
  static const Type muster_work_type_##Type;                                                      \
  static const ::muster::WorkTypeRegistration muster_registration_##Type(::muster::v1::Work::arm, \
                                                                         &muster_work_type_##Type)

#endif  // MUSTER_WORKER_CORE_WORK_TYPE_H_
