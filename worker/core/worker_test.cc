#include "worker/core/worker.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/cgroup_mounts.h"
#include "base/clock.h"
#include "base/file_io.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "worker/arena/checksum.h"
#include "worker/arena/gate.h"
#include "worker/arena/text.h"
#include "worker/control/spec.h"
#include "worker/meter/meter_fixture.h"

namespace muster {
namespace {

using arena::State;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class FunctionStep : public Step {
 public:
  explicit FunctionStep(std::function<StepResult(Meter&)> run) : run_(std::move(run)) {}
  StepResult Run(Meter& meter) override { return run_(meter); }

 private:
  const std::function<StepResult(Meter&)> run_;
};

// A work type whose step is a function of the test's.
class FakeType : public WorkType {
 public:
  explicit FakeType(std::function<StepResult(Meter&)> run) : run_(std::move(run)) {}
  WorkTypeDescription Describe() const override { return {}; }
  uint32_t Streams(const v1::Work&) const override { return kWakeSamples; }
  bool IsMessenger(const WorkerPlace& place) const override { return place.position == 0; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work&, const WorkerPlace&, Plumbing&) const override {
    if (run_ == nullptr) return absl::ResourceExhaustedError("no memory for it");
    return std::make_unique<FunctionStep>(run_);
  }

 private:
  const std::function<StepResult(Meter&)> run_;
};

StepResult Spin(Meter& meter) {
  meter.SpinBurst(1'024);
  return StepResult::kContinue;
}

// A pool whose workers are threads of the test.
class Pool {
 public:
  explicit Pool(const WorkType* type, uint32_t workers = 1, const std::string& group = "work { spin_wait {} }")
      : words_(workers + arena::NumCallWords(workers)), header_(new arena::Header{}), contexts_(workers) {
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(group, &group_));
    for (uint32_t i = 0; i < workers; ++i) {
      records_.push_back(std::make_unique<MeterFixture>(
          arena::WorkerShape{.stream_set = kWakeSamples, .sample_capacity = 8}, i + 1, header_.get()));
      WorkerContext& context = contexts_[i];
      context.target = records_[i]->target();
      context.gate = gate();
      context.wake_position = i;
      context.place = {.worker = i, .position = i, .group_size = workers, .in_thread = true, .seed = i + 1};
      context.group = &group_;
      context.type = type;
      context.proc_fd = proc_.get();
    }
  }
  ~Pool() {
    Open();
    Stop();
    Join();
  }

  arena::Gate gate() { return {words_.data(), static_cast<uint32_t>(contexts_.size())}; }
  WorkerContext& context(uint32_t worker) { return contexts_[worker]; }
  MeterFixture& record(uint32_t worker = 0) { return *records_[worker]; }
  arena::Control& control(uint32_t worker = 0) { return records_[worker]->control(); }
  State state(uint32_t worker = 0) { return records_[worker]->live().state.load(); }

  void Start() {
    for (WorkerContext& context : contexts_) threads_.emplace_back([&context] { RunWorker(context); });
  }
  void Open() {
    header_->released_at_ns = MonotonicNs();
    OpenWords();
  }
  // As a stop before the start does.
  void OpenWords() {
    std::vector<uint32_t> order(contexts_.size());
    std::iota(order.begin(), order.end(), 0);
    arena::Open(gate(), order.data());
  }
  void Stop() { arena::RaiseStop(&header_->stop); }
  void Join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  // Start to finish, with a stop after `iterations` of every worker.
  void RunFor(uint64_t iterations) {
    Start();
    AwaitReady(1);
    Open();
    for (auto& record : records_) {
      while (record->live().iterations.load() < iterations) sched_yield();
    }
    Stop();
    Join();
  }
  void AwaitReady(uint32_t setups) {
    for (auto& record : records_) {
      while (record->live().setups.load(std::memory_order_acquire) < setups) sched_yield();
    }
  }
  arena::Header& header() { return *header_; }

 private:
  const UniqueFd proc_ = OpenProc();
  std::vector<arena::GateWord> words_;
  std::unique_ptr<arena::Header> header_;
  v1::GroupSpec group_;
  std::vector<WorkerContext> contexts_;
  std::vector<std::unique_ptr<MeterFixture>> records_;
  std::vector<std::thread> threads_;
};

std::string PanicOf(const WorkType& type, bool stop_first = false) {
  Pool pool(&type);
  if (stop_first) pool.Stop();
  pool.Start();
  pool.Open();
  pool.Join();
  EXPECT_EQ(pool.state(), State::kPanicked);
  return std::string(arena::TextView(pool.control().final.panic));
}

// ---- Gate ----

TEST(WorkerTest, NoInstructionComesBeforeTheGate) {
  std::atomic<int> runs{0};
  FakeType type([&runs](Meter&) {
    ++runs;
    return StepResult::kDone;
  });
  Pool pool(&type);
  pool.Start();
  pool.AwaitReady(1);
  EXPECT_EQ(pool.state(), State::kReady);
  EXPECT_EQ(runs, 0);
  EXPECT_EQ(pool.control().evidence_ready.load(), 0u);
  pool.Open();
  pool.Join();
  EXPECT_EQ(runs, 1);
  EXPECT_GE(pool.control().evidence.first_instruction_at_ns, pool.header().released_at_ns.load());
  EXPECT_GE(pool.control().evidence.started_at_ns, pool.control().evidence.first_instruction_at_ns);
}

TEST(WorkerTest, ASignalDoesNotOpenTheGate) {
  struct sigaction action = {};
  action.sa_handler = [](int) {};
  sigaction(SIGUSR1, &action, nullptr);
  FakeType type(Spin);
  Pool pool(&type);
  std::thread worker([&pool] { RunWorker(pool.context(0)); });
  pool.AwaitReady(1);
  for (int i = 0; i < 100; ++i) pthread_kill(worker.native_handle(), SIGUSR1);
  EXPECT_EQ(pool.state(), State::kReady);
  pool.Open();
  pool.Stop();
  worker.join();
}

TEST(WorkerTest, TheSetupIsRepeatedAsOftenAsTheGateAsks) {
  FakeType type(Spin);
  Pool pool(&type, 1, "work { spin_wait {} } nice: 1");
  pool.Start();
  pool.AwaitReady(1);
  arena::SetText(&pool.control().setup_errors[arena::kSetNice], "left from before");
  for (uint32_t setups = 2; setups <= 4; ++setups) {
    arena::AskForSetup(pool.gate(), {0, 0});
    pool.AwaitReady(setups);
    EXPECT_EQ(pool.state(), State::kReady);
  }
  EXPECT_EQ(arena::TextView(pool.control().setup_errors[arena::kSetNice]), "");
}

TEST(WorkerTest, EachCompletedSetupArrives) {
  FakeType type(Spin);
  Pool pool(&type, 3);
  arena::Arrivals arrivals = {};
  arrivals.target = 3;
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd read_end(ends[0]);
  const UniqueFd write_end(ends[1]);
  for (uint32_t i = 0; i < 3; ++i) pool.context(i).bell = {&arrivals, write_end.get()};
  pool.Start();
  uint64_t rung = 0;
  ASSERT_EQ(read(read_end.get(), &rung, sizeof(rung)), static_cast<ssize_t>(sizeof(rung)));
  EXPECT_EQ(arrivals.count.load(), 3u);
  for (uint32_t i = 0; i < 3; ++i) EXPECT_EQ(pool.record(i).live().setups.load(), 1u);
}

TEST(WorkerTest, WorkersWakeEachOther) {
  FakeType type(Spin);
  Pool pool(&type, 9);
  pool.RunFor(1);
  for (uint32_t i = 0; i < 9; ++i) EXPECT_EQ(pool.state(i), State::kFinished);
}

// Of more workers than CPUs. Who passed the gate does not begin to work, and who left the loop does not begin to read
// its evidence, before its siblings have got as far, or have used up the time for it.
TEST(WorkerTest, WorkersLetEachOtherPassBeforeTheyGoOn) {
  FakeType type(Spin);
  const uint32_t workers = 3 * GetAffinity(0)->Count();
  Pool pool(&type, workers);
  arena::Arrivals arrivals = {};
  for (uint32_t i = 0; i < workers; ++i) pool.context(i).bell = {&arrivals, -1};
  pool.RunFor(1);
  EXPECT_EQ(arrivals.started.passed.load(), workers);
  EXPECT_EQ(arrivals.stopped.passed.load(), workers);
  uint64_t last_first_ns = 0;
  for (uint32_t i = 0; i < workers; ++i) {
    last_first_ns = std::max(last_first_ns, pool.control(i).evidence.first_instruction_at_ns);
  }
  const uint64_t bound_ns = pool.header().released_at_ns.load() + arena::LongestPassingNs(workers, workers / 3);
  for (uint32_t i = 0; i < workers; ++i) {
    EXPECT_GE(pool.control(i).evidence.started_at_ns, std::min(last_first_ns, bound_ns)) << i;
  }
}

// So that the pool host does not wake it by a signal.
TEST(WorkerTest, AWorkerThatWaitsForItsSiblingsBehindTheLoopSaysSo) {
  std::atomic<bool> is_held{false};
  std::atomic<bool> hold{true};
  FakeType type([&](Meter& meter) {
    const bool holds = !is_held.exchange(true);
    while (holds && hold) sched_yield();
    return Spin(meter);
  });
  const uint32_t workers = GetAffinity(0)->Count() + 1;
  Pool pool(&type, workers);
  arena::Arrivals arrivals = {};
  for (uint32_t i = 0; i < workers; ++i) pool.context(i).bell = {&arrivals, -1};
  pool.Start();
  pool.AwaitReady(1);
  pool.Open();
  while (!is_held) sched_yield();
  const auto leaving = [&] {
    uint32_t count = 0;
    for (uint32_t i = 0; i < workers; ++i) count += pool.record(i).live().is_leaving.load();
    return count;
  };
  EXPECT_EQ(leaving(), 0u);
  // The bound of the wait lies a minute behind this.
  pool.header().stopped_at_ns = MonotonicNs() + 60'000'000'000;
  pool.Stop();
  while (leaving() != workers - 1) sched_yield();
  hold = false;
  pool.Join();
  EXPECT_EQ(leaving(), 0u) << "what a step does at its end may block";
}

TEST(WorkerTest, AWorkerThatWasStartedButGotNoCpuBeforeTheStopHasCompletedNothing) {
  FakeType type(Spin);
  Pool pool(&type);
  pool.Start();
  pool.AwaitReady(1);
  pool.Stop();
  pool.Open();
  pool.Join();
  EXPECT_EQ(pool.state(), State::kFinished);
  EXPECT_EQ(pool.control().final.completed, 1u);
  EXPECT_EQ(pool.record().live().iterations.load(), 0u);
}

// ---- Record ----

TEST(WorkerTest, TheEvidenceIsTheWorkersOwnReading) {
  FakeType type(Spin);
  Pool pool(&type, 2, "work { spin_wait {} } nice: 3");
  CpuSet one;
  one.Add(GetAffinity(0)->Ids().front());
  pool.context(1).cpus = &one;
  pool.RunFor(1);
  const arena::Evidence& evidence = pool.control(1).evidence;
  EXPECT_EQ(pool.control(1).evidence_ready.load(), 1u);
  const auto cgroup = ReadFile("/proc/self/cgroup");
  ASSERT_TRUE(cgroup.ok());
  EXPECT_EQ(arena::TextView(evidence.cgroup), *ParseCgroupFile(*cgroup));
  EXPECT_EQ(evidence.effective_cpus[0], one.words()[0]);
  EXPECT_EQ(evidence.cpu, one.Ids().front());
  EXPECT_EQ(arena::TextView(evidence.policy), "SCHED_OTHER nice 3");
  EXPECT_EQ(arena::TextView(evidence.mem_policy), "");
  EXPECT_NE(evidence.tid, pool.control(0).evidence.tid);
  EXPECT_EQ(pool.control(0).evidence.is_messenger, 1u);
  EXPECT_EQ(evidence.is_messenger, 0u);
}

TEST(WorkerTest, TheFinalRecordIsCompleteAndSealed) {
  FakeType type(Spin);
  Pool pool(&type);
  pool.RunFor(1'000);
  const arena::Final& final = pool.control().final;
  const arena::Core core = pool.record().core();
  EXPECT_EQ(pool.state(), State::kFinished);
  EXPECT_EQ(final.completed, 1u);
  EXPECT_GE(core.iterations, 1'000u);
  EXPECT_EQ(core.work_units, core.iterations * 1'024);
  EXPECT_EQ(core.checkpoints, core.iterations);
  EXPECT_GT(final.cpu_time_ns, 0u);
  EXPECT_GE(final.wall_time_ns + 1'000'000, final.cpu_time_ns);
  EXPECT_EQ(final.stopped_at_ns, pool.control().evidence.started_at_ns + final.wall_time_ns);
  EXPECT_EQ(final.measured & (arena::kSchedstat | arena::kSwitches | arena::kNumaPages),
            arena::kSchedstat | arena::kSwitches | arena::kNumaPages);
  EXPECT_GT(final.schedstat_cpu_ns, 0u);
  EXPECT_GT(final.numa_pages[0], 0u);
  EXPECT_EQ(pool.control().checksum.load(), arena::RecordChecksum(pool.control().evidence, final, core));
  EXPECT_EQ(arena::TextView(final.cgroup), arena::TextView(pool.control().evidence.cgroup));
}

TEST(WorkerTest, ThreadsThatAreStoppedShareOneReadingOfTheirPages) {
  FakeType type(Spin);
  Pool pool(&type, 5);
  SharedNumaPages shared;
  for (uint32_t i = 0; i < 5; ++i) pool.context(i).numa_pages = &shared;
  pool.RunFor(1);
  EXPECT_EQ(shared.readings(), 1u);
  for (uint32_t i = 0; i < 5; ++i) {
    EXPECT_NE(pool.control(i).final.measured & arena::kNumaPages, 0u);
    EXPECT_GT(pool.control(i).final.numa_pages[0], 0u);
    EXPECT_EQ(pool.control(i).final.numa_pages[0], pool.control(0).final.numa_pages[0]);
  }
}

TEST(WorkerTest, AThreadWhoseWorkEndsByItselfReadsItsPagesAlone) {
  FakeType type([](Meter&) { return StepResult::kDone; });
  Pool pool(&type, 2);
  SharedNumaPages shared;
  for (uint32_t i = 0; i < 2; ++i) pool.context(i).numa_pages = &shared;
  pool.Start();
  pool.Open();
  pool.Join();
  EXPECT_EQ(shared.readings(), 0u);
  for (uint32_t i = 0; i < 2; ++i) EXPECT_GT(pool.control(i).final.numa_pages[0], 0u);
}

TEST(WorkerTest, WhatStartReadOfVmstatIsTakenAsTheBaseline) {
  FakeType type(Spin);
  Pool pool(&type);
  pool.header().vmstat_plus_one = 1;
  pool.RunFor(1);
  if ((pool.control().final.measured & arena::kVmstat) == 0) GTEST_SKIP() << "no numa_pages_migrated in /proc/vmstat";
  const auto vmstat = ReadFile("/proc/vmstat");
  EXPECT_THAT(*vmstat, HasSubstr("numa_pages_migrated " +
                                 std::to_string(pool.control().final.vmstat_numa_pages_migrated) + "\n"));
}

// The gate of a pool that was never started is opened by its stop.
TEST(WorkerTest, AWorkerStoppedBeforeItWasStartedDidNotComplete) {
  FakeType type(Spin);
  Pool pool(&type);
  pool.Start();
  pool.AwaitReady(1);
  pool.Stop();
  pool.OpenWords();
  pool.Join();
  EXPECT_EQ(pool.state(), State::kFinished);
  EXPECT_EQ(pool.control().final.completed, 0u);
  EXPECT_EQ(pool.record().core().iterations, 0u);
}

TEST(WorkerTest, WorkThatIsDoneCountsItsLastIterationAndAbandonedWorkDoesNot) {
  for (const auto& [result, iterations] : {std::pair{StepResult::kDone, 1u}, std::pair{StepResult::kAbandon, 0u}}) {
    FakeType type([result = result](Meter&) { return result; });
    Pool pool(&type);
    pool.Start();
    pool.Open();
    pool.Join();
    EXPECT_EQ(pool.state(), State::kFinished);
    EXPECT_EQ(pool.control().final.completed, 1u);
    EXPECT_EQ(pool.record().core().iterations, iterations);
  }
}

// ---- Exceptions ----

TEST(WorkerTest, AnExceptionOfTheWorkIsAPanicWithItsText) {
  EXPECT_EQ(PanicOf(FakeType([](Meter&) -> StepResult { throw std::runtime_error("broken inside"); })),
            "broken inside");
  EXPECT_THAT(PanicOf(FakeType([](Meter&) -> StepResult { throw 7; })), HasSubstr("no std::exception"));
}

TEST(WorkerTest, WorkThatCannotBePreparedIsAPanicAfterTheGate) {
  EXPECT_EQ(PanicOf(FakeType(nullptr)), "preparing the work: no memory for it");
}

TEST(WorkerTest, APanicKeepsWhatWasMeasuredBefore) {
  FakeType type([count = 0](Meter& meter) mutable -> StepResult {
    if (++count > 5) throw std::runtime_error("sixth");
    meter.AddUnits(1'024);
    return StepResult::kContinue;
  });
  Pool pool(&type);
  pool.Start();
  pool.Open();
  pool.Join();
  EXPECT_EQ(pool.record().core().iterations, 5u);
  EXPECT_GT(pool.control().final.wall_time_ns, 0u);
}

// ---- Programs ----

// Runs the worker in a child, as a program needs it. Its record must lie in shared memory to be seen.
struct ProgramRun {
  int status = 0;
  State state = State::kNone;
  std::string panic;
  std::string telemetry;
};

ProgramRun RunProgram(const std::string& program, bool stopped = false) {
  const UniqueFd telemetry(memfd_create("telemetry", MFD_CLOEXEC));
  const UniqueFd record(memfd_create("record", MFD_CLOEXEC));
  EXPECT_EQ(ftruncate(record.get(), arena::kControlBytes), 0);
  void* memory = mmap(nullptr, arena::kControlBytes, PROT_READ | PROT_WRITE, MAP_SHARED, record.get(), 0);
  auto* control = static_cast<arena::Control*>(memory);
  const pid_t child = fork();
  if (child == 0) {
    Pool pool(nullptr, 1, "work { custom { program { " + program + " } } }");
    WorkerContext& context = pool.context(0);
    context.target.control = control;
    context.target.live = &arena::Arena::LiveIn(*control, 0);
    context.telemetry_fd = telemetry.get();
    if (stopped) pool.Stop();
    pool.Open();
    RunWorker(context);
    _exit(99);
  }
  ProgramRun run;
  EXPECT_EQ(waitpid(child, &run.status, 0), child);
  run.state = arena::Arena::LiveIn(*control, 0).state.load();
  run.panic = std::string(arena::TextView(control->final.panic));
  char text[256];
  const ssize_t got = pread(telemetry.get(), text, sizeof(text), 0);
  run.telemetry.assign(text, got);
  munmap(memory, arena::kControlBytes);
  return run;
}

TEST(ProgramTest, TheWorkerBecomesItWithItsOwnEnvironmentAndDescriptors) {
  const ProgramRun run = RunProgram(
      "path: '/bin/sh' args: '-c' args: 'echo $NAME $HOME $(ls /proc/self/fd | wc -w) >&$MUSTER_TELEMETRY_FD; exit 5' "
      "env: 'NAME=value' env: 'PATH=/usr/bin:/bin'");
  EXPECT_EQ(WEXITSTATUS(run.status), 5);
  EXPECT_EQ(run.state, State::kExec);
  // Standard streams, telemetry, and ls's own handle on the directory.
  EXPECT_EQ(run.telemetry, "value 5\n");
}

TEST(ProgramTest, SignalsAreAtTheirDefaults) {
  signal(SIGPIPE, SIG_IGN);
  const ProgramRun run = RunProgram("path: '/bin/sh' args: '-c' args: 'kill -PIPE $$'");
  signal(SIGPIPE, SIG_DFL);
  EXPECT_TRUE(WIFSIGNALED(run.status));
  EXPECT_EQ(WTERMSIG(run.status), SIGPIPE);
}

TEST(ProgramTest, OneThatCannotBeExecutedIsAPanic) {
  const ProgramRun run = RunProgram("path: '/nonexistent/program'");
  EXPECT_EQ(WEXITSTATUS(run.status), 99) << "the worker returned";
  EXPECT_EQ(run.state, State::kPanicked);
  EXPECT_THAT(run.panic, StartsWith("execve /nonexistent/program: ENOENT"));
}

TEST(ProgramTest, AStopBeforeItKeepsItFromRunning) {
  const ProgramRun run = RunProgram("path: '/bin/sh' args: '-c' args: 'exit 5'", true);
  EXPECT_EQ(WEXITSTATUS(run.status), 99) << "the worker returned";
  EXPECT_EQ(run.state, State::kFinished);
}

}  // namespace
}  // namespace muster
