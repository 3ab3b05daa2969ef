#include "worker/host/testing/host_driver.h"

#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/clock.h"
#include "base/file_io.h"
#include "base/spawn_process.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "worker/arena/gate.h"
#include "worker/control/spec.h"
#include "worker/core/work_type.h"
#include "worker/host/pool_host.h"
#include "worker/host/task_process.h"
#include "worker/host/tasks.h"

namespace muster::host {
namespace {

constexpr absl::Duration kAnswerBound = absl::Seconds(100);
constexpr int kControlFd = 3;

[[noreturn]] void RunForkedHost(UniqueFd control, Cloner* cloner) {
  // As RunPoolHost does, but with a cloner of the test's.
  absl::StatusOr<Events> events = Events::Create(control::Channel(std::move(control)));
  if (!events.ok()) _exit(1);
  PoolHost(*std::move(events), cloner).Run();
  _exit(0);
}

pid_t ForkHost(UniqueFd control, const HostOptions& options) {
  const pid_t pid = fork();
  if (pid != 0) return pid;
  // Above all the test's own end of the channel, which must be its alone.
  KeepDescriptors({control.get()});
  if (options.in_host) options.in_host();
  if (options.cloner != nullptr) RunForkedHost(std::move(control), options.cloner);
  _exit(RunPoolHost(control.Release()));
}

pid_t ExecuteHost(const std::string& binary, const UniqueFd& control) {
  SpawnOptions options;
  options.program = binary;
  options.arguments = {binary, "--pool-host", "--control-fd", absl::StrCat(kControlFd)};
  options.descriptors = {{kControlFd, control.get()}};
  options.fixed_layout = true;
  const absl::StatusOr<SpawnedProcess> process = SpawnProcess(options);
  EXPECT_TRUE(process.ok()) << process.status();
  return process.ok() ? process->pid : -1;
}

std::vector<arena::WorkerShape> ShapesOf(const v1::WorkloadSpec& spec, const control::Plan& plan) {
  std::vector<arena::WorkerShape> shapes;
  for (uint32_t i = 0; i < NumGroups(spec); ++i) {
    const v1::Work work = GroupOf(spec, i).work();
    const WorkType* const type = FindWorkType(work.type_case());
    arena::WorkerShape shape;
    shape.group_idx = i;
    shape.stream_set = type == nullptr ? 0 : type->Streams(work);
    shape.sample_capacity = spec.max_samples();
    shape.migration_capacity = spec.max_migrations();
    shapes.insert(shapes.end(), plan.groups(i).num_workers(), shape);
  }
  return shapes;
}

control::Plan PlanOf(const SpawnRequest& request) {
  control::Plan plan;
  plan.set_pool_id("p1");
  *plan.mutable_spec() = ResolvedSpec(request.spec);
  for (uint32_t i = 0; i < NumGroups(plan.spec()); ++i) {
    control::GroupPlan* const group = plan.add_groups();
    group->set_num_workers(GroupOf(plan.spec(), i).num_workers());
    group->set_cgroup_fd(request.cgroups.size() > 1 ? i : 0);
  }
  plan.set_control_priority(request.control_priority);
  plan.set_max_worker_rt_priority(98);
  plan.set_allow_exec(request.allow_exec);
  plan.set_spawners(request.spawners);
  plan.set_spawn_timeout_ns(absl::ToInt64Nanoseconds(request.timeout));
  return plan;
}

}  // namespace

HostDriver::HostDriver(const HostOptions& options) {
  absl::StatusOr<std::pair<control::Channel, UniqueFd>> pair = control::Channel::MakePair();
  EXPECT_TRUE(pair.ok()) << pair.status();
  if (!pair.ok()) return;
  channel_ = std::move(pair->first);
  if (options.binary.empty()) {
    pid_ = ForkHost(std::move(pair->second), options);
  } else {
    pid_ = ExecuteHost(options.binary, pair->second);
  }
}

HostDriver::~HostDriver() {
  HangUp();
  if (pid_ <= 0) return;
  EXPECT_NE(AwaitEnd(), -1) << "the pool host did not end";
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

uint64_t HostDriver::Send(control::Request request, const std::vector<int>& descriptors) {
  request.set_number(++last_number_);
  const absl::Status status = channel_.Send(request, descriptors, kAnswerBound);
  EXPECT_TRUE(status.ok()) << status;
  return last_number_;
}

control::Reply HostDriver::Await(uint64_t number) {
  const uint64_t deadline_ns = MonotonicNs() + absl::ToInt64Nanoseconds(kAnswerBound);
  while (MonotonicNs() < deadline_ns) {
    for (const control::Reply& reply : replies_) {
      if (reply.number() == number) return reply;
    }
    TakeEvent(kAnswerBound);
    if (testing::Test::HasFatalFailure()) break;
  }
  ADD_FAILURE() << "no answer to request " << number;
  return {};
}

void HostDriver::TakeEvent(absl::Duration timeout) {
  const absl::StatusOr<control::Frame> frame = channel_.Receive(timeout);
  ASSERT_TRUE(frame.ok()) << frame.status();
  control::Event event;
  ASSERT_TRUE(event.ParseFromString(frame->bytes));
  if (event.has_reply()) replies_.push_back(event.reply());
  if (event.has_worker_died()) deaths_.push_back(event.worker_died().worker());
}

uint64_t HostDriver::SendSpawn(const SpawnRequest& request) {
  control::Request message;
  *message.mutable_plan() = PlanOf(request);
  const absl::StatusOr<UniqueFd> fd = arena::Arena::Create(ShapesOf(message.plan().spec(), message.plan()));
  EXPECT_TRUE(fd.ok()) << fd.status();
  absl::StatusOr<arena::Arena> arena = arena::Arena::Map(fd->get(), arena::Arena::Access::kDaemon);
  EXPECT_TRUE(arena.ok()) << arena.status();
  arena_ = *std::move(arena);
  std::vector<int> descriptors = {fd->get()};
  descriptors.insert(descriptors.end(), request.cgroups.begin(), request.cgroups.end());
  return Send(message, descriptors);
}

control::Reply HostDriver::Spawn(const SpawnRequest& request) { return Await(SendSpawn(request)); }

void HostDriver::Start() {
  arena_.header().released_at_ns = MonotonicNs();
  arena::Open({arena_.gate(), arena_.num_workers()}, arena_.wake_order());
  control::Request request;
  request.mutable_released();
  Send(request);
}

control::Reply HostDriver::Place(const control::Place& place, int cgroup) {
  control::Request request;
  *request.mutable_place() = place;
  return Await(Send(request, cgroup >= 0 ? std::vector<int>{cgroup} : std::vector<int>{}));
}

uint64_t HostDriver::SendStop(absl::Duration deadline, absl::Duration reap_budget) {
  control::Request request;
  request.mutable_stop()->set_deadline_ns(MonotonicNs() + absl::ToInt64Nanoseconds(deadline));
  request.mutable_stop()->set_reap_budget_ns(absl::ToInt64Nanoseconds(reap_budget));
  return Send(request);
}

control::Reply HostDriver::Stop(absl::Duration deadline, absl::Duration reap_budget) {
  return Await(SendStop(deadline, reap_budget));
}

control::Reply HostDriver::Kill() {
  control::Request request;
  request.mutable_kill()->set_reap_budget_ns(absl::ToInt64Nanoseconds(absl::Seconds(3)));
  return Await(Send(request));
}

int HostDriver::AwaitEnd(absl::Duration timeout) {
  if (pid_ <= 0) return -1;
  const UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  int status = -1;
  if (!PollUntil(pidfd.get(), MonotonicNs() + absl::ToInt64Nanoseconds(timeout))) return -1;
  EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
  pid_ = -1;
  return status;
}

std::vector<uint32_t> HostDriver::Deaths(size_t count) {
  while (deaths_.size() < count) {
    TakeEvent(absl::Seconds(10));
    if (testing::Test::HasFatalFailure()) break;
  }
  return deaths_;
}

bool HostDriver::AwaitAllRunning(absl::Duration timeout) const {
  return Eventually(
      [this] {
        for (uint32_t worker = 0; worker < arena_.num_workers(); ++worker) {
          if (StateOf(worker) <= arena::State::kReady) return false;
        }
        return true;
      },
      timeout);
}

bool Eventually(const std::function<bool()>& condition, absl::Duration timeout) {
  const uint64_t deadline_ns = MonotonicNs() + absl::ToInt64Nanoseconds(timeout);
  while (!condition()) {
    if (MonotonicNs() >= deadline_ns) return false;
    sched_yield();
  }
  return true;
}

std::vector<pid_t> ChildrenLeft() {
  std::vector<pid_t> pids;
  const absl::StatusOr<std::string> text = ReadFile(absl::StrCat("/proc/self/task/", syscall(SYS_gettid), "/children"));
  EXPECT_TRUE(text.ok()) << text.status();
  for (const absl::string_view word : absl::StrSplit(text.value_or(""), ' ', absl::SkipWhitespace())) {
    pid_t pid = 0;
    if (absl::SimpleAtoi(word, &pid)) pids.push_back(pid);
  }
  return pids;
}

v1::WorkloadSpec ResolvedSpec(absl::string_view text) {
  v1::WorkloadSpec spec;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(std::string(text), &spec)) << text;
  const auto resolve = [](auto* group) {
    if (!group->has_num_workers()) group->set_num_workers(1);
    if (!group->has_work()) group->mutable_work()->mutable_spin_wait();
    if (!group->has_affinity()) group->mutable_affinity()->mutable_inherit();
    if (!group->has_sched_policy()) group->mutable_sched_policy()->mutable_normal();
    if (!group->has_mem_policy()) group->mutable_mem_policy()->mutable_default_policy();
    ResolveWork(group->mutable_work());
  };
  resolve(&spec);
  for (v1::GroupSpec& group : *spec.mutable_composed()) resolve(&group);
  if (!spec.has_clone_mode()) spec.set_clone_mode(spec.has_pcomm() ? v1::THREAD : v1::FORK);
  if (!spec.has_max_samples()) spec.set_max_samples(1'000);
  if (!spec.has_max_migrations()) spec.set_max_migrations(16);
  if (!spec.has_seed()) spec.set_seed(7);
  return spec;
}

}  // namespace muster::host
