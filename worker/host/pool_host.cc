#include "worker/host/pool_host.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/errno_status.h"
#include "base/error_detail.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "worker/host/maker.h"
#include "worker/host/placer.h"
#include "worker/host/priority.h"
#include "worker/host/stopper.h"

namespace muster::host {
namespace {

// When nobody is there to say how long reaping may take.
constexpr uint64_t kAbandonedReapBudgetNs = 2'000'000'000;

uint64_t UsedCpuNs() { return ClockNs(CLOCK_PROCESS_CPUTIME_ID); }

}  // namespace

void PoolHost::Run() {
  while (!done_ && !events_.must_end()) {
    if (std::optional<Incoming> incoming = events_.NextRequest()) {
      Serve(*std::move(incoming));
      continue;
    }
    const Events::Ready ready = events_.Wait(release_watch_.next_look_ns(), {});
    if (live_ == nullptr) {
      ReapStrays();
      continue;
    }
    if (ready.children) ReportDeaths();
    release_watch_.Look(*live_);
  }
  if (live_ != nullptr && !done_) Stopper(live_.get(), &events_).Kill(kAbandonedReapBudgetNs);
}

void PoolHost::Serve(Incoming incoming) {
  const uint64_t number = incoming.request.number();
  switch (incoming.request.kind_case()) {
    case control::Request::kPlan:
      return ServePlan(number, std::move(incoming));
    case control::Request::kPlace:
      return ServePlace(number, std::move(incoming));
    case control::Request::kReleased:
      if (live_ != nullptr) release_watch_.Begin(*live_);
      return;
    case control::Request::kStop:
      return ServeStop(number, incoming.request.stop());
    case control::Request::kKill:
      return ServeKill(number, incoming.request.kill());
    case control::Request::KIND_NOT_SET:
      break;
  }
  Reply(number, absl::UnimplementedError("a request that this pool host does not know"));
}

void PoolHost::ServePlan(uint64_t number, Incoming incoming) {
  if (live_ != nullptr) return Reply(number, absl::FailedPreconditionError("this pool host has a pool already"));
  control::Plan& plan = *incoming.request.mutable_plan();
  if (plan.control_priority() > 0) {
    const absl::Status status = RunAsControl(plan.control_priority());
    if (!status.ok()) LogWarning(absl::StrCat("pool host: ", status.message()));
  }
  absl::StatusOr<std::unique_ptr<LivePool>> live =
      Maker(&cloner_, &events_, proc_.get()).Make(std::move(plan), std::move(incoming.descriptors));
  control::Reply reply;
  if (live.ok()) {
    live_ = *std::move(live);
    reply.set_drain_bound_ns(live_->pool.DrainBoundNs());
  }
  Reply(number, live.status(), std::move(reply));
}

void PoolHost::ServePlace(uint64_t number, Incoming incoming) {
  if (live_ == nullptr) return Reply(number, absl::FailedPreconditionError("this pool host has no pool"));
  control::Reply reply;
  const absl::Status status =
      Placer(live_.get(), &events_).Place(incoming.request.place(), incoming.descriptors, &reply);
  Reply(number, status, std::move(reply));
  ReportDeaths();
}

void PoolHost::ServeStop(uint64_t number, const control::Stop& stop) {
  release_watch_.End();
  if (live_ != nullptr) Stopper(live_.get(), &events_).Stop(stop.deadline_ns(), stop.reap_budget_ns());
  Reply(number, absl::OkStatus());
}

void PoolHost::ServeKill(uint64_t number, const control::Kill& kill) {
  release_watch_.End();
  if (live_ != nullptr) Stopper(live_.get(), &events_).Kill(kill.reap_budget_ns());
  Reply(number, absl::OkStatus());
  done_ = true;
}

void PoolHost::ReportDeaths() {
  while (const std::optional<size_t> task = live_->tasks.FindEnded()) ReportDeath(*task);
}

void PoolHost::ReapStrays() {
  while (waitpid(-1, nullptr, WNOHANG | __WALL) > 0) {
  }
}

void PoolHost::ReportDeath(size_t task) {
  const WorkerRange workers = live_->tasks.workers(task);
  release_watch_.NoteDeath();
  live_->tasks.Kill(task);
  live_->tasks.Reap(task, MonotonicNs());
  for (uint32_t worker = workers.first; worker < workers.first + workers.count; ++worker) {
    const arena::HostEntry& entry = live_->arena.host(worker);
    const bool well = entry.exit == arena::Exit::kExited && entry.exit_value == 0;
    // Work may end by itself, which is no death.
    if (well && live_->StateOf(worker) == arena::State::kFinished) continue;
    control::Event event;
    event.mutable_worker_died()->set_worker(worker);
    events_.Send(event);
  }
}

void PoolHost::Reply(uint64_t number, const absl::Status& status, control::Reply reply) {
  reply.set_number(number);
  reply.set_code(static_cast<int32_t>(status.code()));
  reply.set_message(std::string(status.message()));
  reply.set_field(FieldOf(status).value_or(""));
  reply.set_host_cpu_ns(UsedCpuNs());
  control::Event event;
  *event.mutable_reply() = std::move(reply);
  events_.Send(event);
}

namespace {

// Ends with the thread of musterd that made this process; fails when it is gone already. The peer of the channel is the
// process that made the socket pair.
absl::Status BindToParent(int control_fd) {
  if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0) return ErrnoStatus(errno, "prctl(PR_SET_PDEATHSIG)");
  ucred peer = {};
  socklen_t length = sizeof(peer);
  if (getsockopt(control_fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) {
    return ErrnoStatus(errno, absl::StrCat("SO_PEERCRED of descriptor ", control_fd));
  }
  if (peer.pid != getppid()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the control channel is process ", peer.pid, "'s, the parent is ", getppid()));
  }
  return absl::OkStatus();
}

// What a worker leaves behind becomes this process's child, not musterd's, who would kill it at once: a child that left
// its worker's group survives StopAndCollect, and is musterd's when this process ends.
absl::Status TakeInOrphans() {
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return ErrnoStatus(errno, "prctl(PR_SET_CHILD_SUBREAPER)");
  return absl::OkStatus();
}

absl::Status ServePoolHost(int control_fd) {
  control::Channel channel{UniqueFd(control_fd)};
  // Before anything else: a SIGTERM that comes from here on is seen.
  ASSIGN_OR_RETURN(Events events, Events::Create(std::move(channel)));
  RETURN_IF_ERROR(BindToParent(control_fd));
  RETURN_IF_ERROR(ResetChildren());
  RETURN_IF_ERROR(TakeInOrphans());
  ASSIGN_OR_RETURN(KernelCloner cloner, KernelCloner::Create());
  PoolHost(std::move(events), &cloner).Run();
  return absl::OkStatus();
}

}  // namespace

int RunPoolHost(int control_fd) {
  const absl::Status status = ServePoolHost(control_fd);
  if (!status.ok()) LogWarning(absl::StrCat("pool host: ", status.message()));
  return status.ok() ? 0 : 1;
}

}  // namespace muster::host
