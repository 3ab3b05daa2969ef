#include "worker/host/placer.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/clock.h"
#include "base/errno_status.h"
#include "base/error_detail.h"
#include "base/file_io.h"
#include "base/status_macros.h"
#include "worker/core/setup.h"
#include "worker/host/membership.h"

namespace muster::host {
namespace {

// How long workers at their gate may take to run their setup again: a fixed part, and one for their number.
constexpr uint64_t kSetupBoundNs = 1'000'000'000;
constexpr uint64_t kSetupBoundPerWorkerNs = 1'000'000;
// A listing of 100,000 ids has 800 kB.
constexpr size_t kMaxListBytes = 16 << 20;

// Going to another CPU costs as much as some workers' interrupts.
constexpr ptrdiff_t kWorkersWorthAVisit = 16;

constexpr char kEnded[] = "the worker has ended";

// Whether a worker of this group has set up anything that a move can undo: a cpuset resets masks and rebinds memory
// policies, and a real-time or deadline task may be refused or throttled. What is inherited, or the default, follows
// the move.
bool CanBeUndone(const PoolGroup& group) {
  const v1::GroupSpec& spec = group.spec;
  const auto policy = spec.sched_policy().policy_case();
  const auto memory = spec.mem_policy().policy_case();
  const bool plain_policy = policy == v1::SchedPolicy::POLICY_NOT_SET || policy == v1::SchedPolicy::kNormal;
  const bool plain_memory = memory == v1::MemPolicy::POLICY_NOT_SET || memory == v1::MemPolicy::kDefaultPolicy;
  return !group.cpus.empty() || !plain_policy || !plain_memory || spec.mpol_flags_size() > 0 || spec.has_numa_node();
}

absl::StatusOr<std::vector<pid_t>> ReadIds(int directory, const char* list) {
  ASSIGN_OR_RETURN(const std::string text, ReadFileAt(directory, list, kMaxListBytes));
  std::vector<pid_t> ids;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    pid_t id = 0;
    if (absl::SimpleAtoi(line, &id)) ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

// Path of a task's cgroup of version 2 below the mount; empty when it cannot be read.
std::string CgroupOf(pid_t pid, pid_t tid) {
  const absl::StatusOr<std::string> text = ReadFile(absl::StrCat("/proc/", pid, "/task/", tid, "/cgroup"));
  if (!text.ok()) return "";
  for (const absl::string_view line : absl::StrSplit(*text, '\n')) {
    if (line.substr(0, 3) == "0::") return std::string(line.substr(3));
  }
  return "";
}

std::string MoveError(int error_number, bool by_thread, const std::string& path) {
  if (error_number == ESRCH) return kEnded;
  const std::string text(ErrnoStatus(error_number, path).message());
  if (error_number != EOPNOTSUPP) return text;
  return absl::StrCat(text, by_thread ? "; a thread can only move within the threaded subtree that its process is in"
                                      : "; a threaded cgroup takes threads only: place by thread");
}

}  // namespace

absl::Status Placer::Place(const control::Place& request, const std::vector<UniqueFd>& descriptors,
                           control::Reply* reply) {
  RETURN_IF_ERROR(TakeCandidates(request));
  if (!request.cpus().empty()) {
    RETURN_IF_ERROR(TakePins(request));
  } else {
    if (descriptors.empty()) return absl::InvalidArgumentError("no cgroup came with the placement");
    RETURN_IF_ERROR(Move(request, descriptors[0].get()));
  }
  if (request.setup_again() && !live_.is_open()) SetUpAgain();
  ApplyPins();
  Report(reply);
  return absl::OkStatus();
}

absl::Status Placer::TakeCandidates(const control::Place& request) {
  const bool any_ended = live_.tasks.AnyEnded();
  for (const uint32_t worker : request.workers()) {
    if (worker >= live_.arena.num_workers()) {
      return absl::InvalidArgumentError(absl::StrCat("worker ", worker, " of ", live_.arena.num_workers()));
    }
    Candidate candidate;
    candidate.worker = worker;
    candidate.pid = live_.tasks.PidOfWorker(worker);
    candidate.tid = live_.arena.host(worker).tid;
    candidate.cpu = live_.arena.live(worker).last_cpu.load(std::memory_order_relaxed);
    if (!IsAlive(candidate, any_ended)) candidate.error = kEnded;
    candidates_.push_back(std::move(candidate));
  }
  return absl::OkStatus();
}

bool Placer::IsAlive(const Candidate& candidate, bool any_ended) {
  if (candidate.pid <= 0 || (any_ended && live_.tasks.HasEnded(live_.tasks.TaskOfWorker(candidate.worker))))
    return false;
  // A thread may end by itself, and its number may be given to another.
  return !live_.pool.one_process() ||
         access(absl::StrCat("/proc/", candidate.pid, "/task/", candidate.tid).c_str(), F_OK) == 0;
}

absl::Status Placer::TakePins(const control::Place& request) {
  ASSIGN_OR_RETURN(const CpuSet cpus, CpuSet::Parse(request.cpus()));
  for (const Candidate& candidate : candidates_) live_.pins[candidate.worker] = cpus;
  return absl::OkStatus();
}

absl::Status Placer::Move(const control::Place& request, int directory) {
  const bool whole_process = live_.pool.one_process() && !request.by_thread();
  if (whole_process && candidates_.size() != live_.arena.num_workers()) {
    return PreconditionError({"PLACEMENT", live_.pool.id()},
                             "the workers of this pool share one process: place all of them, or place by thread");
  }
  const char* const list = request.by_thread() ? "cgroup.threads" : "cgroup.procs";
  ASSIGN_OR_RETURN(const UniqueFd file, OpenAt(directory, list, O_WRONLY));
  LookUpMembershipFiles(directory);
  if (whole_process) {
    WriteOne(file.get(), list);
  } else {
    WriteEach(file.get(), list);
  }
  ReadMembership(list, directory);
  return absl::OkStatus();
}

void Placer::WriteOne(int file, const std::string& path) {
  const auto living = std::find_if(candidates_.begin(), candidates_.end(),
                                   [](const Candidate& candidate) { return candidate.error.empty(); });
  if (living == candidates_.end()) return;
  Write(file, path, &*living);
  for (Candidate& other : candidates_) other.error = living->error;
}

void Placer::WriteEach(int file, const std::string& path) {
  std::vector<Candidate*> order;
  for (Candidate& candidate : candidates_) {
    if (candidate.error.empty()) order.push_back(&candidate);
  }
  const auto by_cpu = [](const Candidate* a, const Candidate* b) { return a->cpu < b->cpu; };
  std::stable_sort(order.begin(), order.end(), by_cpu);
  CpuVisit visit;
  // Nothing more between the writes: the first takes a grace period of the kernel's, and those that follow at once
  // share it.
  for (auto at = order.begin(); at != order.end();) {
    const auto end = std::upper_bound(at, order.end(), *at, by_cpu);
    if (end - at >= kWorkersWorthAVisit) visit.GoTo((*at)->cpu);
    for (; at != end; ++at) Write(file, path, *at);
  }
}

void Placer::Write(int file, const std::string& path, Candidate* candidate) const {
  const bool by_thread = path == "cgroup.threads";
  const std::string id = absl::StrCat(by_thread ? candidate->tid : candidate->pid);
  if (write(file, id.data(), id.size()) >= 0) return;
  candidate->error = MoveError(errno, by_thread, absl::StrCat("write ", id, " to ", path));
}

void Placer::ReadMembership(const char* list, int directory) {
  // One listing for all instead of one /proc file each.
  const absl::StatusOr<std::vector<pid_t>> members = ReadIds(directory, list);
  std::string path;
  for (Candidate& candidate : candidates_) {
    if (!candidate.error.empty()) continue;
    const bool whole_process = live_.pool.one_process() && list == absl::string_view("cgroup.procs");
    const pid_t id = whole_process ? candidate.pid : candidate.tid;
    if (members.ok() && std::binary_search(members->begin(), members->end(), id)) {
      if (path.empty()) path = CgroupOf(candidate.pid, id);
      candidate.cgroup = path;
      continue;
    }
    candidate.cgroup = CgroupOf(candidate.pid, id);
    candidate.error = candidate.cgroup.empty()
                          ? kEnded
                          : absl::StrCat("the kernel took the placement, but the worker is in ", candidate.cgroup);
  }
}

void Placer::SetUpAgain() {
  const uint64_t deadline_ns = MonotonicNs() + kSetupBoundNs + candidates_.size() * kSetupBoundPerWorkerNs;
  arena::Arrivals& arrivals = live_.board.head().arrivals;
  for (Candidate& candidate : candidates_) {
    if (!candidate.error.empty() || !CanBeUndone(live_.pool.GroupOfWorker(candidate.worker))) continue;
    candidate.asked = true;
    arena::AskForSetup(live_.gate(), {candidate.worker, live_.pool.WakePositionOf(candidate.worker)});
  }
  while (const uint32_t unanswered = CountUnanswered()) {
    arrivals.count.store(0);
    arrivals.target.store(unanswered);
    // Whoever arrived in between may not have been counted.
    if (CountUnanswered() != unanswered) continue;
    if (events_.hurried() || MonotonicNs() >= deadline_ns) break;
    events_.Wait(deadline_ns, {});
  }
  for (Candidate& candidate : candidates_) {
    if (candidate.asked)
      candidate.error = "placed, but it did not run its setup again in time: stopped, frozen or starved";
  }
}

// Strikes off who has answered, and who cannot any more.
uint32_t Placer::CountUnanswered() {
  uint32_t unanswered = 0;
  for (Candidate& candidate : candidates_) {
    if (!candidate.asked) continue;
    const uint32_t wanted = live_.gate().words[candidate.worker].load() / arena::kGateSetupStep;
    if (live_.arena.live(candidate.worker).setups.load(std::memory_order_acquire) > wanted) {
      candidate.asked = false;
    } else if (live_.tasks.HasEnded(live_.tasks.TaskOfWorker(candidate.worker))) {
      candidate.asked = false;
      candidate.error = kEnded;
    } else {
      ++unanswered;
    }
  }
  return unanswered;
}

absl::Status Placer::Pin(const Candidate& candidate) const {
  const auto pin = live_.pins.find(candidate.worker);
  if (pin != live_.pins.end()) return SetAffinity(candidate.tid, pin->second);
  // At its gate the worker's own setup has done the rest.
  if (!live_.is_open()) return absl::OkStatus();
  const v1::GroupSpec& group = live_.pool.GroupOfWorker(candidate.worker).spec;
  if (group.has_numa_node()) {
    ASSIGN_OR_RETURN(const CpuSet cpus, CpusOfNode(group.numa_node()));
    return SetAffinity(candidate.tid, cpus);
  }
  const CpuSet* const asked = live_.pool.CpusOf(candidate.worker);
  return asked == nullptr ? absl::OkStatus() : SetAffinity(candidate.tid, *asked);
}

// A move into a cpuset resets the mask before Linux 6.2.
void Placer::ApplyPins() {
  for (Candidate& candidate : candidates_) {
    if (candidate.error == kEnded) continue;
    const absl::Status status = Pin(candidate);
    if (!status.ok() && candidate.error.empty()) candidate.error = std::string(status.message());
  }
}

void Placer::Report(control::Reply* reply) const {
  CpuSet last;
  std::string last_text;
  for (const Candidate& candidate : candidates_) {
    control::PlaceResult* result = reply->add_places();
    result->set_worker(candidate.worker);
    result->set_error(candidate.error);
    if (candidate.error == kEnded) continue;
    result->set_cgroup(candidate.cgroup.empty() ? CgroupOf(candidate.pid, candidate.tid) : candidate.cgroup);
    const absl::StatusOr<CpuSet> cpus = GetAffinity(candidate.tid);
    if (!cpus.ok()) continue;
    if (last_text.empty() || !(*cpus == last)) {
      last = *cpus;
      last_text = last.ToString();
    }
    result->set_effective_cpus(last_text);
  }
}

}  // namespace muster::host
