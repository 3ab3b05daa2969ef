#include "daemon/pool/testing/fake_pool_host.h"

#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/clock.h"
#include "gtest/gtest.h"
#include "worker/arena/checksum.h"
#include "worker/arena/gate.h"
#include "worker/control/spec.h"

namespace muster {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(30);

// One after the other, none waits for more than the others' frames.
constexpr absl::Duration kFrameTimeout = absl::Hours(1);

MeterTarget TargetOf(const arena::Arena& arena, uint32_t worker) {
  const arena::WorkerShape shape = arena::ShapeOf(arena.host(worker));
  return {.header = &arena.header(),
          .control = &arena.control(worker),
          .live = &arena.live(worker),
          .bulk = arena::TakeApart(arena.bulk(worker), shape),
          .shape = shape,
          .seed = worker + 1};
}

}  // namespace

FakePoolHost::FakePoolHost(control::Channel channel, std::shared_ptr<FakeProcess> process, FakeHostManners manners)
    : manners_(std::move(manners)), process_(std::move(process)), channel_(std::move(channel)) {
  process_->OnKill([this] { Die({-1, SIGKILL}); });
  receiver_ = std::thread([this] { Receive(); });
  server_ = std::thread([this] { Run(); });
}

FakePoolHost::~FakePoolHost() {
  Die({0, 0});
  receiver_.join();
  server_.join();
}

void FakePoolHost::Die(ProcessEnd end) {
  process_->OnKill(nullptr);
  process_->End(end);
  // A process's descriptors are closed when its end has been decided.
  MutexLock lock(&mutex_);
  if (!ended_) shutdown(channel_.fd(), SHUT_RDWR);
  ended_ = true;
  changed_.NotifyAll();
}

void FakePoolHost::Receive() {
  while (true) {
    absl::StatusOr<control::Frame> frame = channel_.Receive(kFrameTimeout);
    control::Request request;
    if (!frame.ok() || !request.ParseFromString(frame->bytes)) break;
    MutexLock lock(&mutex_);
    if (request.has_plan()) plan_descriptors_ = std::move(frame->descriptors);
    seen_.push_back(request);
    queue_.push_back(std::move(request));
    changed_.NotifyAll();
  }
  MutexLock lock(&mutex_);
  ended_ = true;
  changed_.NotifyAll();
}

bool FakePoolHost::Next(control::Request* request) {
  MutexLock lock(&mutex_);
  while (!ended_) {
    const auto next = std::find_if(queue_.begin(), queue_.end(), [this](const control::Request& queued) {
      return std::find(held_.begin(), held_.end(), queued.kind_case()) == held_.end();
    });
    if (next != queue_.end()) {
      *request = std::move(*next);
      queue_.erase(next);
      return true;
    }
    changed_.WaitUntil(&mutex_, SteadyDeadline(kPatience));
  }
  return false;
}

void FakePoolHost::Run() {
  control::Request request;
  while (Next(&request)) {
    control::Event event;
    *event.mutable_reply() = Serve(request);
    if (!request.has_released()) SendEvent(event);
    if (request.has_kill()) Die({0, 0});
  }
  // End of file: a pool host sweeps and exits.
  Die({0, 0});
}

control::Reply FakePoolHost::Serve(const control::Request& request) {
  control::Reply reply;
  reply.set_number(request.number());
  MutexLock lock(&mutex_);
  if (request.has_plan()) ServePlan(request.plan(), &reply);
  if (request.has_released()) ServeReleased();
  if (request.has_stop()) ServeStop();
  for (const uint32_t worker : request.place().workers()) {
    control::PlaceResult* result = reply.add_places();
    result->set_worker(worker);
    result->set_cgroup("/placed");
    result->set_effective_cpus("0-3");
  }
  return reply;
}

void FakePoolHost::ServePlan(const control::Plan& plan, control::Reply* reply) {
  if (!manners_.plan_error.ok()) {
    reply->set_code(static_cast<int>(manners_.plan_error.code()));
    reply->set_message(std::string(manners_.plan_error.message()));
    reply->set_field(manners_.plan_field);
    return;
  }
  auto arena = arena::Arena::Map(plan_descriptors_.at(0).get(), arena::Arena::Access::kPoolHost);
  ASSERT_TRUE(arena.ok()) << arena.status();
  arena_ = *std::move(arena);
  num_workers_ = arena_.num_workers();
  meters_.resize(num_workers_);
  for (uint32_t i = 0; i < num_workers_; ++i) {
    arena_.host(i).pid = IsOneProcess(plan.spec()) ? manners_.first_pid : manners_.first_pid + static_cast<pid_t>(i);
    arena_.host(i).tid = manners_.first_pid + static_cast<pid_t>(i);
    arena_.live(i).state = arena::State::kReady;
    arena_.live(i).setups = 1;
  }
  arena_.host(0).telemetry_fd = manners_.telemetry_fd;
  reply->set_drain_bound_ns(250'000'000);
  changed_.NotifyAll();
}

void FakePoolHost::StartWorker(uint32_t worker) {
  if (meters_[worker] != nullptr || arena_.host(worker).exit != arena::Exit::kNone) return;
  arena::Evidence& evidence = arena_.control(worker).evidence;
  evidence.first_instruction_at_ns = MonotonicNs();
  evidence.started_at_ns = evidence.first_instruction_at_ns;
  evidence.tid = arena_.host(worker).tid;
  arena_.control(worker).evidence_ready = 1;
  arena_.live(worker).state = arena::State::kRunning;
  meters_[worker] = std::make_unique<Meter>(TargetOf(arena_, worker));
  meters_[worker]->Begin(evidence.started_at_ns, 0);
}

void FakePoolHost::ServeReleased() {
  for (uint32_t i = 0; i < num_workers_; ++i) {
    StartWorker(i);
    if (!manners_.works_at_release || meters_[i] == nullptr) continue;
    meters_[i]->AddUnits(1024);
    meters_[i]->EndIteration();
  }
  changed_.NotifyAll();
}

void FakePoolHost::ServeStop() {
  arena_.header().stopped_at_ns = MonotonicNs();
  arena_.header().stop = 1;
  for (uint32_t i = 0; i < num_workers_; ++i) {
    if (arena_.host(i).exit != arena::Exit::kNone) continue;
    const auto loss = losses_.find(i);
    if (loss != losses_.end()) {
      SetExit(i, loss->second.exit, loss->second.value);
      continue;
    }
    FinishWorker(i);
    SetExit(i, arena::Exit::kExited, 0);
  }
  for (const uint32_t worker : spoiled_) memset(&arena_.control(worker).final, 0xee, sizeof(arena::Final));
}

void FakePoolHost::FinishWorker(uint32_t worker) {
  StartWorker(worker);
  const uint64_t now_ns = MonotonicNs();
  meters_[worker]->End(now_ns);
  arena::Control& control = arena_.control(worker);
  control.final.stopped_at_ns = now_ns;
  control.final.completed = 1;
  arena::Core core = {};
  memcpy(&core, control.cores[(control.cores_published - 1) % 2], sizeof(core));
  control.checksum = arena::RecordChecksum(control.evidence, control.final, core);
  arena_.live(worker).state = arena::State::kFinished;
}

void FakePoolHost::SetExit(uint32_t worker, arena::Exit exit, int32_t value) {
  arena_.host(worker).exit_value = value;
  arena_.host(worker).reaped_at_ns = MonotonicNs();
  arena_.host(worker).exit = exit;
}

void FakePoolHost::SendEvent(const control::Event& event) {
  MutexLock lock(&send_mutex_);
  channel_.Send(event, {}, kPatience).IgnoreError();  // musterd may be gone
}

void FakePoolHost::Hold(RequestKind kind) {
  MutexLock lock(&mutex_);
  held_.push_back(kind);
}

void FakePoolHost::Let(RequestKind kind) {
  MutexLock lock(&mutex_);
  held_.erase(std::remove(held_.begin(), held_.end(), kind), held_.end());
  changed_.NotifyAll();
}

int FakePoolHost::CountRequests(RequestKind kind) {
  MutexLock lock(&mutex_);
  return static_cast<int>(std::count_if(
      seen_.begin(), seen_.end(), [kind](const control::Request& request) { return request.kind_case() == kind; }));
}

void FakePoolHost::AwaitRequests(RequestKind kind, int count) {
  const auto deadline = SteadyDeadline(kPatience);
  while (CountRequests(kind) < count) {
    MutexLock lock(&mutex_);
    if (!changed_.WaitUntil(&mutex_, std::min(deadline, SteadyDeadline(absl::Milliseconds(5)))) &&
        std::chrono::steady_clock::now() >= deadline) {
      ADD_FAILURE() << "a request that was waited for has not come";
      return;
    }
  }
}

control::Request FakePoolHost::LastRequest(RequestKind kind) {
  MutexLock lock(&mutex_);
  for (auto request = seen_.rbegin(); request != seen_.rend(); ++request) {
    if (request->kind_case() == kind) return *request;
  }
  return {};
}

void FakePoolHost::Iterate(uint32_t worker, int iterations) {
  MutexLock lock(&mutex_);
  while (meters_.at(worker) == nullptr) changed_.WaitUntil(&mutex_, SteadyDeadline(kPatience));
  for (int i = 0; i < iterations; ++i) {
    meters_[worker]->AddUnits(1024);
    meters_[worker]->EndIteration();
  }
}

void FakePoolHost::Sample(uint32_t worker, uint64_t wake_ns) {
  MutexLock lock(&mutex_);
  while (meters_.at(worker) == nullptr) changed_.WaitUntil(&mutex_, SteadyDeadline(kPatience));
  meters_[worker]->WakeSample(wake_ns);
}

void FakePoolHost::EndWorker(uint32_t worker, arena::Exit exit, int32_t value) {
  {
    MutexLock lock(&mutex_);
    SetExit(worker, exit, value);
  }
  control::Event event;
  event.mutable_worker_died()->set_worker(worker);
  SendEvent(event);
}

void FakePoolHost::LoseAtStop(uint32_t worker, arena::Exit exit, int32_t value) {
  MutexLock lock(&mutex_);
  losses_[worker] = {exit, value};
}

void FakePoolHost::SpoilAtStop(uint32_t worker) {
  MutexLock lock(&mutex_);
  spoiled_.push_back(worker);
}

void FakePoolHost::InArena(const std::function<void(arena::Arena&)>& act) {
  MutexLock lock(&mutex_);
  act(arena_);
}

absl::StatusOr<LaunchedHost> FakeLauncher::Launch() {
  MutexLock lock(&mutex_);
  if (!error_.ok()) return std::exchange(error_, absl::OkStatus());
  auto ends = control::Channel::MakePair();
  if (!ends.ok()) return ends.status();
  const auto process = std::make_shared<FakeProcess>(900'000 + static_cast<pid_t>(hosts_.size()));
  process->OnCopy(manners_.on_copy);
  auto host = std::make_unique<FakePoolHost>(control::Channel(std::move(ends->second)), process, manners_);
  for (const RequestKind kind : held_) host->Hold(kind);
  hosts_.push_back(std::move(host));
  changed_.NotifyAll();
  LaunchedHost launched;
  launched.process = std::make_unique<FakeHostProcess>(process);
  launched.channel = std::move(ends->first);
  return launched;
}

void FakeLauncher::SetManners(FakeHostManners manners) {
  MutexLock lock(&mutex_);
  manners_ = std::move(manners);
}

void FakeLauncher::FailNext(absl::Status error) {
  MutexLock lock(&mutex_);
  error_ = std::move(error);
}

void FakeLauncher::HoldFromLaunch(RequestKind kind) {
  MutexLock lock(&mutex_);
  held_.push_back(kind);
}

FakePoolHost& FakeLauncher::host(size_t n) {
  MutexLock lock(&mutex_);
  while (hosts_.size() <= n) changed_.WaitUntil(&mutex_, SteadyDeadline(kPatience));
  return *hosts_[n];
}

size_t FakeLauncher::launched() {
  MutexLock lock(&mutex_);
  return hosts_.size();
}

}  // namespace muster
