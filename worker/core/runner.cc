#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "worker/arena/checksum.h"
#include "worker/arena/text.h"
#include "worker/core/effective.h"
#include "worker/core/exec_program.h"
#include "worker/core/sched_attr.h"
#include "worker/core/setup.h"
#include "worker/core/step_cradle.h"
#include "worker/core/worker.h"
#include "worker/meter/current_cpu.h"
#include "worker/meter/procfs.h"

namespace muster {
namespace {

using arena::State;

// Readings whose differences stand in the report.
struct Clocks {
  uint64_t cpu_ns = 0;
  uint64_t wall_ns = 0;
  // Values until they are read: an error would be allocated, and a worker that allocates copies pages of its parent's
  // heap.
  absl::StatusOr<Schedstat> schedstat = Schedstat();
  absl::StatusOr<uint64_t> vmstat = uint64_t{0};
  rusage usage = {};
};

// CPUs that the caller may run on; 1 when they cannot be read. Counts by hand: the compiler's function for it and its
// table stand far away in the binary, two page faults while all others wait for the CPU.
uint64_t OwnCpus() {
  uint64_t words[(arena::kMaxCpuId + 1) / 64];
  const long bytes = syscall(SYS_sched_getaffinity, 0, sizeof(words), words);
  uint64_t cpus = 0;
  for (long i = 0; i < bytes / 8; ++i) {
    for (uint64_t word = words[i]; word != 0; word &= word - 1) ++cpus;
  }
  return std::max<uint64_t>(1, cpus);
}

// By a system call: reading the clock in user space begins with a page fault, which takes ten times as long.
uint64_t FirstInstructionNs() {
  timespec now;
  syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

class Runner {
 public:
  explicit Runner(WorkerContext& context)
      : context_(context),
        control_(*context.target.control),
        live_(*context.target.live),
        is_custom_(context.group->work().has_custom()),
        meter_(context.target) {}

  void Run() {
    WaitAtGate();
    Stamp();
    RecordEvidence();
    if (context_.type == nullptr) return BecomeProgram();
    StartClocks();
    Loop();
    StopClocks();
    RecordEnd();
    // A step that ends threads of its own may block.
    live_.is_leaving.store(0, std::memory_order_relaxed);
    step_.reset();
    Finish();
  }

 private:
  // Sets up as often as the gate asks for it, and returns when it is open and no setup is due.
  void WaitAtGate();
  void SetUp();
  void MakeStep();
  // The worker's first instructions after the gate: the time, then the workers below it in the wake tree.
  void Stamp();
  // Lets those come to a crossing that have not come as far, who began with the way there at since_ns (0: nobody did).
  void LetOthersPass(arena::Crossing arena::Arrivals::*crossing, uint64_t since_ns, const std::atomic<uint32_t>* stop);
  void RecordEvidence();
  void BecomeProgram();
  void StartClocks();
  void Loop();
  void RunSteps();
  void StopClocks();
  void RecordDifferences();
  void RecordEnd();
  void Finish();
  void Panic(absl::string_view text);
  void NotMeasured(const absl::Status& why);

  const arena::Header& header() const { return *context_.target.header; }

  WorkerContext& context_;
  arena::Control& control_;
  arena::Live& live_;
  const bool is_custom_;
  Meter meter_;
  // In the arena only when the others have stamped theirs: each page more that one touches before costs all of them.
  uint64_t first_instruction_at_ns_ = 0;
  uint32_t first_cpu_ = 0;
  TaskFiles files_;
  StepCradle cradle_;
  std::unique_ptr<Step> step_;
  Clocks start_;
  Clocks end_;
  std::string telemetry_error_;
  bool panicked_ = false;
};

void Runner::WaitAtGate() {
  const arena::GateWord& word = context_.gate.words[context_.place.worker];
  uint32_t seen = word.load(std::memory_order_acquire);
  while (true) {
    const uint32_t asked = seen / arena::kGateSetupStep + 1;
    if (live_.setups.load(std::memory_order_relaxed) < asked) {
      SetUp();
      // For whoever has something done on the CPU where this worker waits.
      live_.last_cpu.store(static_cast<int32_t>(CurrentCpu()), std::memory_order_relaxed);
      live_.state.store(State::kReady, std::memory_order_release);
      // Release: whoever sees the count sees the errors of the setup.
      live_.setups.store(asked, std::memory_order_release);
      arena::Arrive(context_.bell);
    }
    if ((seen & arena::kGateOpenBit) != 0) return;
    seen = arena::WaitForChange(context_.gate, {context_.place.worker, context_.wake_position}, seen);
  }
}

void Runner::SetUp() {
  RunSetup({.group = context_.group, .cpus = context_.cpus, .max_rt_priority = context_.place.max_rt_priority},
           control_.setup_errors);
  // Once: buffers are allocated under the memory policy, and belong to the worker from then on.
  if (live_.setups.load(std::memory_order_relaxed) > 0) return;
  MakeStep();
  context_.plumbing.pipes.clear();
  context_.plumbing.descriptors.clear();
}

void Runner::MakeStep() {
  if (context_.type == nullptr) return;
  try {
    auto step = context_.type->MakeStep(context_.group->work(), context_.place, context_.plumbing);
    if (!step.ok()) return Panic(absl::StrCat("preparing the work: ", step.status().message()));
    step_ = *std::move(step);
  } catch (const std::exception& error) {
    Panic(absl::StrCat("preparing the work: ", error.what()));
  }
}

void Runner::Stamp() {
  first_instruction_at_ns_ = FirstInstructionNs();
  first_cpu_ = CurrentCpu();
  live_.state.store(State::kRunning, std::memory_order_release);
  arena::WakeChildren(context_.gate, context_.wake_position);
  LetOthersPass(&arena::Arrivals::started, header().released_at_ns.load(std::memory_order_relaxed), &header().stop);
}

// What comes behind a crossing takes each worker ten times as long as what the others still have to do before it, or
// all of the CPU. They block rather than yield: a yield gives way only to those whom the scheduler finds eligible, and
// under a real-time policy to nobody below. Who comes later than all should have passed goes on at once, so a sibling
// that is frozen or dead costs the bound once.
void Runner::LetOthersPass(arena::Crossing arena::Arrivals::*crossing, uint64_t since_ns,
                           const std::atomic<uint32_t>* stop) {
  arena::Arrivals* const arrivals = context_.bell.arrivals;
  if (arrivals == nullptr) return;
  const uint32_t workers = context_.gate.num_workers;
  arena::Pass(arrivals->*crossing, workers);
  const uint64_t cpus = OwnCpus();
  if (workers > cpus) arena::AwaitPassing(arrivals->*crossing, since_ns + arena::LongestPassingNs(workers, cpus), stop);
}

void Runner::RecordEvidence() {
  arena::Evidence& evidence = control_.evidence;
  evidence.first_instruction_at_ns = first_instruction_at_ns_;
  evidence.cpu = first_cpu_;
  // Not at the gate, where two open files would be a tenth of what making and ending a worker costs.
  files_ =
      TaskFiles::Open(context_.proc_fd, context_.place.in_thread ? TaskFiles::Of::kThread : TaskFiles::Of::kProcess);
  if (const absl::Status status = files_.ReadCgroup(&evidence.cgroup); !status.ok()) NotMeasured(status);
  ReadEffectiveCpus(evidence.effective_cpus);
  ReadEffectivePolicy(&evidence.policy);
  ReadEffectiveMemPolicy(&evidence.mem_policy);
  evidence.tid = static_cast<int32_t>(gettid());
  evidence.is_messenger = context_.type != nullptr && context_.type->IsMessenger(context_.place) ? 1 : 0;
}

void Runner::BecomeProgram() {
  control_.evidence.started_at_ns = MonotonicNs();
  control_.evidence_ready.store(1, std::memory_order_release);
  if (context_.bell.arrivals != nullptr) arena::Pass(context_.bell.arrivals->stopped, context_.gate.num_workers);
  // Both seq_cst: either this worker sees the stop, or the pool host sees that the program wants its own signal.
  live_.state.store(State::kExec, std::memory_order_seq_cst);
  const bool stopped = header().stop.load(std::memory_order_seq_cst) != 0;
  if (!stopped) Panic(ExecProgram(context_.group->work().custom().program(), context_.telemetry_fd).message());
  control_.final.stopped_at_ns = MonotonicNs();
  Finish();
}

void Runner::StartClocks() {
  start_.schedstat = files_.ReadSchedstat();
  const uint64_t read_at_release = header().vmstat_plus_one.load(std::memory_order_relaxed);
  if (read_at_release == 0) {
    start_.vmstat = ReadNumaPagesMigrated();
  } else {
    start_.vmstat = read_at_release - 1;
  }
  getrusage(RUSAGE_THREAD, &start_.usage);
  start_.cpu_ns = ClockNs(CLOCK_THREAD_CPUTIME_ID);
  start_.wall_ns = MonotonicNs();
  control_.evidence.started_at_ns = start_.wall_ns;
  control_.evidence_ready.store(1, std::memory_order_release);
  meter_.Begin(start_.wall_ns, control_.evidence.cpu);
}

void Runner::Loop() {
  // Whoever was let go has completed, also when it got no CPU before the stop; not who was never started.
  control_.final.completed = header().released_at_ns.load(std::memory_order_relaxed) == 0 ? 0 : 1;
  if (step_ == nullptr) return;
  try {
    RunSteps();
  } catch (const std::exception& error) {
    Panic(error.what());
  } catch (...) {
    Panic("an object that is no std::exception was thrown");
  }
}

void Runner::RunSteps() {
  while (!meter_.stopping()) {
    const StepResult result = step_->Run(meter_);
    if (result != StepResult::kAbandon) meter_.EndIteration();
    if (result != StepResult::kContinue) return;
  }
}

// The clocks together, in the order of StartClocks, and before anything that takes long.
void Runner::StopClocks() {
  // Relaxed: a signal that comes all the same does no harm.
  live_.is_leaving.store(1, std::memory_order_relaxed);
  end_.cpu_ns = ClockNs(CLOCK_THREAD_CPUTIME_ID);
  end_.wall_ns = MonotonicNs();
  if (is_custom_) {
    meter_.Publish(end_.wall_ns);
  } else {
    meter_.End(end_.wall_ns);
  }
  control_.final.cpu = CurrentCpu();
  getrusage(RUSAGE_THREAD, &end_.usage);
  end_.schedstat = files_.ReadSchedstat();
  LetOthersPass(&arena::Arrivals::stopped, header().stopped_at_ns.load(std::memory_order_relaxed), nullptr);
}

void Runner::RecordDifferences() {
  arena::Final& final = control_.final;
  final.stopped_at_ns = end_.wall_ns;
  final.cpu_time_ns = end_.cpu_ns - start_.cpu_ns;
  final.wall_time_ns = end_.wall_ns - start_.wall_ns;
  final.voluntary_switches = end_.usage.ru_nvcsw - start_.usage.ru_nvcsw;
  final.involuntary_switches = end_.usage.ru_nivcsw - start_.usage.ru_nivcsw;
  final.measured = arena::kSwitches;
  if (start_.schedstat.ok() && end_.schedstat.ok()) {
    final.schedstat_cpu_ns = end_.schedstat->cpu_ns - start_.schedstat->cpu_ns;
    final.schedstat_run_delay_ns = end_.schedstat->run_delay_ns - start_.schedstat->run_delay_ns;
    final.schedstat_run_count = end_.schedstat->run_count - start_.schedstat->run_count;
    final.measured |= arena::kSchedstat;
  } else {
    NotMeasured(end_.schedstat.ok() ? start_.schedstat.status() : end_.schedstat.status());
  }
}

void Runner::RecordEnd() {
  RecordDifferences();
  arena::Final& final = control_.final;
  if (const absl::Status status = files_.ReadCgroup(&final.cgroup); !status.ok()) NotMeasured(status);
  // One whose work ended by itself has its own reading: by the stop its neighbours may have touched more.
  const bool together = context_.numa_pages != nullptr && header().stop.load(std::memory_order_relaxed) != 0;
  const absl::Status read = together ? context_.numa_pages->Read(final.numa_pages) : ReadNumaPages(final.numa_pages);
  if (read.ok()) {
    final.measured |= arena::kNumaPages;
  } else {
    NotMeasured(read);
  }
  end_.vmstat = ReadNumaPagesMigrated();
  if (start_.vmstat.ok() && end_.vmstat.ok()) {
    final.vmstat_numa_pages_migrated = *end_.vmstat - *start_.vmstat;
    final.measured |= arena::kVmstat;
  } else {
    NotMeasured(end_.vmstat.ok() ? start_.vmstat.status() : end_.vmstat.status());
  }
}

void Runner::Finish() {
  arena::SetText(&control_.final.telemetry_error, telemetry_error_);
  arena::Core core = {};
  const uint64_t published = control_.cores_published.load(std::memory_order_relaxed);
  if (published > 0) memcpy(&core, control_.cores[(published - 1) % 2], sizeof(core));
  control_.checksum.store(arena::RecordChecksum(control_.evidence, control_.final, core), std::memory_order_relaxed);
  // Release: whoever sees the state sees the whole record.
  live_.state.store(panicked_ ? State::kPanicked : State::kFinished, std::memory_order_release);
}

void Runner::Panic(absl::string_view text) {
  panicked_ = true;
  arena::SetText(&control_.final.panic, text);
}

void Runner::NotMeasured(const absl::Status& why) {
  absl::StrAppend(&telemetry_error_, telemetry_error_.empty() ? "" : "; ", why.message());
}

}  // namespace

void RunWorker(WorkerContext& context) { Runner(context).Run(); }

}  // namespace muster
