#include "worker/work/testing/group_run.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/clock.h"
#include "base/cpu_set.h"
#include "base/deadline.h"
#include "base/errno_status.h"
#include "base/file_io.h"
#include "base/status_macros.h"
#include "worker/arena/gate.h"
#include "worker/control/spec.h"
#include "worker/meter/meter.h"
#include "worker/work/testing/test_plumbing.h"

namespace muster {

// What members tell the test beside the arena; in memory that all share.
struct GroupRun::Board {
  static constexpr uint32_t kMaxMembers = 256;
  struct Member {
    std::atomic<int32_t> tid;
    std::atomic<int32_t> pid;
    std::atomic<uint32_t> ended;
    std::atomic<uint32_t> ended_by_itself;
    std::atomic<uint64_t> left_loop_ns;
    std::atomic<uint64_t> max_gap_ns;
  };
  std::atomic<uint32_t> ready;
  std::atomic<uint32_t> go;
  Member members[kMaxMembers];
};

namespace {

constexpr uint32_t kSampleCapacity = 1000;
constexpr uint32_t kMigrationCapacity = 16;
// The pool host repeats the signal at least so often.
constexpr uint64_t kSignalPeriodNs = 50'000'000;
// For children of members that are just ending.
constexpr absl::Duration kStrayBound = absl::Milliseconds(200);

void OnStopSignal(int) {}

template <size_t N>
std::string TextOf(const arena::Text<N>& text) {
  return std::string(text.bytes, strnlen(text.bytes, N));
}

std::string OwnChildren() {
  const absl::StatusOr<std::string> children = ReadFile(absl::StrCat("/proc/self/task/", getpid(), "/children"));
  return children.ok() ? *children : "";
}

// Reaps those that have ended of the children that are not in the list `before`.
void ReapNewChildren(const std::string& before) {
  const std::vector<std::string> old = absl::StrSplit(before, ' ', absl::SkipWhitespace());
  for (const absl::string_view word : absl::StrSplit(OwnChildren(), ' ', absl::SkipWhitespace())) {
    int pid = 0;
    const bool is_new = std::find(old.begin(), old.end(), std::string(word)) == old.end();
    if (is_new && absl::SimpleAtoi(word, &pid)) waitpid(pid, nullptr, WNOHANG);
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<GroupRun>> GroupRun::Start(const GroupRunOptions& options) {
  std::unique_ptr<GroupRun> run(new GroupRun(options));
  RETURN_IF_ERROR(run->Prepare());
  RETURN_IF_ERROR(run->Launch());
  return run;
}

absl::Status GroupRun::Prepare() {
  type_ = FindWorkType(options_.work.type_case());
  if (type_ == nullptr) return absl::NotFoundError("no folder implements this arm");
  RETURN_IF_ERROR(CheckWorkRanges(options_.work));
  RETURN_IF_ERROR(type_->Validate(options_.work));
  const uint32_t group_size = type_->GroupSize(options_.work);
  std::vector<arena::WorkerShape> shapes;
  for (uint32_t instance = 0; instance < options_.instances; ++instance) {
    plumbing_.push_back(std::make_unique<Plumbing>());
    RETURN_IF_ERROR(MakePlumbing(*type_, options_.work, plumbing_.back().get()));
    for (uint32_t position = 0; position < group_size; ++position) {
      const bool runs = options_.only.empty() ||
                        std::find(options_.only.begin(), options_.only.end(), position) != options_.only.end();
      if (!runs) continue;
      const uint32_t worker = members_.size();
      members_.push_back({.worker = worker,
                          .position = position,
                          .group_size = group_size,
                          .instance = instance,
                          .in_thread = options_.threads,
                          .seed = (options_.seed + worker) * 0x9E3779B97F4A7C15u,
                          .max_rt_priority = options_.max_rt_priority});
      shapes.push_back({.stream_set = type_->Streams(options_.work),
                        .sample_capacity = kSampleCapacity,
                        .migration_capacity = kMigrationCapacity});
    }
  }
  if (members_.size() > Board::kMaxMembers) return absl::ResourceExhaustedError("too many members for this harness");
  ASSIGN_OR_RETURN(UniqueFd fd, arena::Arena::Create(shapes));
  ASSIGN_OR_RETURN(arena_, arena::Arena::Map(fd.get(), arena::Arena::Access::kPoolHost));
  // The pool host gives each child its own part; here all share one mapping.
  madvise(&arena_.header(), arena_.header().total_bytes, MADV_DOFORK);
  void* const board = mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (board == MAP_FAILED) return ErrnoStatus(errno, "mmap of the board");
  board_ = new (board) Board();
  return absl::OkStatus();
}

absl::Status GroupRun::Launch() {
  // Descendants that members leave behind become children of this process.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  children_before_ = OwnChildren();
  std::vector<std::vector<uint32_t>> of_process;
  for (uint32_t member = 0; member < members_.size(); ++member) {
    if (of_process.empty() || !options_.threads) of_process.emplace_back();
    of_process.back().push_back(member);
  }
  for (const std::vector<uint32_t>& members : of_process) {
    const pid_t child = fork();
    if (child < 0) return ErrnoStatus(errno, "fork of a member");
    if (child == 0) RunProcess(members);
    processes_.push_back(child);
  }
  if (!Eventually([this] { return board_->ready.load() == members_.size(); }, absl::Seconds(10))) {
    return absl::DeadlineExceededError("not all members became ready");
  }
  share_.emplace(ShareOfMembers());
  board_->go.store(1);
  arena::FutexWake(&board_->go, UINT32_MAX);
  return absl::OkStatus();
}

void GroupRun::RunProcess(const std::vector<uint32_t>& members) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setpgid(0, 0);
  struct sigaction action = {};
  action.sa_handler = OnStopSignal;
  sigaction(SIGUSR1, &action, nullptr);
  std::vector<std::thread> threads;
  for (size_t i = 1; i < members.size(); ++i) threads.emplace_back([this, &members, i] { RunMember(members[i]); });
  RunMember(members[0]);
  for (std::thread& thread : threads) thread.join();
  _exit(0);
}

void GroupRun::RunMember(uint32_t member) {
  Board::Member& entry = board_->members[member];
  const WorkerPlace& place = members_[member];
  entry.pid = getpid();
  entry.tid = static_cast<int32_t>(syscall(SYS_gettid));
  if (options_.cpu_of) {
    CpuSet cpus;
    cpus.Add(options_.cpu_of(place));
    if (!SetAffinity(0, cpus).ok()) _exit(3);
  }
  if (options_.before) options_.before(place);
  const arena::WorkerShape shape = arena::ShapeOf(arena_.host(member));
  Meter meter({.header = &arena_.header(),
               .control = &arena_.control(member),
               .live = &arena_.live(member),
               .bulk = arena::TakeApart(arena_.bulk(member), shape),
               .shape = shape,
               .seed = place.seed});
  Plumbing plumbing = Duplicate(*plumbing_[place.instance]);
  absl::StatusOr<std::unique_ptr<Step>> step = type_->MakeStep(options_.work, place, plumbing);
  if (!step.ok()) {
    fprintf(stderr, "MakeStep: %s\n",
            std::string(step.status().message().data(), step.status().message().size()).c_str());
    _exit(2);
  }
  board_->ready.fetch_add(1);
  while (board_->go.load() == 0) arena::FutexWait(&board_->go, 0, nullptr);
  meter.Begin(MonotonicNs(), sched_getcpu());
  StepResult result = StepResult::kContinue;
  while (!meter.stopping() && result == StepResult::kContinue) {
    result = (*step)->Run(meter);
    if (result != StepResult::kAbandon) meter.EndIteration();
  }
  entry.left_loop_ns = MonotonicNs();
  entry.ended_by_itself = !meter.stopping();
  meter.End(entry.left_loop_ns + static_cast<uint64_t>(absl::ToInt64Nanoseconds(options_.stop_ahead)));
  step->reset();
  entry.ended = 1;
}

GroupRun::~GroupRun() {
  for (const pid_t process : processes_) {
    kill(-process, SIGKILL);
    kill(process, SIGKILL);
  }
  for (const pid_t process : processes_) waitpid(process, nullptr, 0);
  for (const std::unique_ptr<Plumbing>& plumbing : plumbing_) {
    if (plumbing->memory != nullptr) munmap(plumbing->memory, plumbing->memory_bytes);
  }
  if (board_ != nullptr) munmap(board_, sizeof(Board));
}

pid_t GroupRun::tid(uint32_t member) const { return board_->members[member].tid; }
pid_t GroupRun::pid(uint32_t member) const { return board_->members[member].pid; }
uint64_t GroupRun::iterations(uint32_t member) const { return arena_.live(member).iterations; }
uint64_t GroupRun::work_units(uint32_t member) const { return arena_.live(member).work_units; }
bool GroupRun::ended(uint32_t member) const { return board_->members[member].ended != 0; }

bool GroupRun::Eventually(const std::function<bool()>& condition, absl::Duration timeout) {
  const Deadline deadline = Deadline::After(timeout);
  while (!condition()) {
    if (deadline.Expired()) return condition();
    poll(nullptr, 0, 1);
  }
  return true;
}

bool GroupRun::WithinShare(const std::function<bool()>& condition, absl::Duration bound) const {
  return share_->Eventually(condition, bound);
}

CpuShare GroupRun::ShareOfMembers() const {
  CpuSet cpus;
  for (const WorkerPlace& place : members_) {
    if (options_.cpu_of) cpus.Add(options_.cpu_of(place));
  }
  return CpuShare(options_.cpu_of ? cpus : GetAffinity(0).value_or(cpus), processes_);
}

bool GroupRun::HaveIterations(uint64_t count) const {
  for (uint32_t i = 0; i < size(); ++i) {
    if (iterations(i) < count && !ended(i)) return false;
  }
  return true;
}

bool GroupRun::WaitForIterations(uint64_t count, absl::Duration bound) const {
  return WithinShare([this, count] { return HaveIterations(count); }, bound);
}

bool GroupRun::WaitBlocked(uint32_t member, absl::Duration timeout) const {
  const std::string path = absl::StrCat("/proc/", pid(member), "/task/", tid(member), "/stat");
  int looks = 0;
  return Eventually(
      [&path, &looks] {
        const absl::StatusOr<std::string> stat = ReadFile(path);
        const bool asleep = stat.ok() && stat->substr(stat->rfind(')') + 2, 1) == "S";
        looks = asleep ? looks + 1 : 0;
        return looks >= 5;
      },
      timeout);
}

absl::Status GroupRun::Stop(absl::Duration bound) {
  const CpuShare since = ShareOfMembers();
  const uint64_t stopped_ns = MonotonicNs();
  arena_.header().stopped_at_ns = stopped_ns + static_cast<uint64_t>(absl::ToInt64Nanoseconds(options_.stop_ahead));
  arena::RaiseStop(&arena_.header().stop);
  uint64_t signal_at_ns = stopped_ns;
  const auto all_ended = [this, &signal_at_ns] {
    const bool signal = MonotonicNs() >= signal_at_ns;
    if (signal) signal_at_ns += kSignalPeriodNs;
    bool all = true;
    for (uint32_t i = 0; i < size(); ++i) {
      if (ended(i)) continue;
      all = false;
      if (signal) syscall(SYS_tgkill, pid(i), tid(i), SIGUSR1);
    }
    return all;
  };
  if (!since.Eventually(all_ended, bound)) {
    std::string late;
    for (uint32_t i = 0; i < size(); ++i) {
      if (!ended(i)) absl::StrAppend(&late, " ", members_[i].position);
    }
    return absl::DeadlineExceededError(
        absl::StrCat("positions still in their loop after ", absl::FormatDuration(bound), ":", late));
  }
  for (uint32_t i = 0; i < size(); ++i) {
    const uint64_t left_ns = board_->members[i].left_loop_ns;
    if (left_ns > stopped_ns) stop_took_ = std::max(stop_took_, absl::Nanoseconds(left_ns - stopped_ns));
    results_.push_back(Collect(i));
  }
  return Reap();
}

absl::Status GroupRun::Reap() {
  for (const pid_t process : processes_) {
    int status = 0;
    if (waitpid(process, &status, 0) != process) return ErrnoStatus(errno, "waitpid of a member");
    if (status != 0) return absl::InternalError(absl::StrCat("a member's process ended with status ", status));
  }
  processes_.clear();
  const auto none_left = [this] {
    ReapNewChildren(children_before_);
    return OwnChildren() == children_before_;
  };
  return Eventually(none_left, kStrayBound) ? absl::OkStatus() : absl::InternalError("a process was left behind");
}

uint64_t GroupRun::samples(uint32_t member, arena::Stream stream) const {
  const arena::Bulk bulk = arena::TakeApart(arena_.bulk(member), arena::ShapeOf(arena_.host(member)));
  return bulk.stores[stream].head == nullptr ? 0 : bulk.stores[stream].head->total.load();
}

MemberResult GroupRun::Collect(uint32_t member) const {
  MemberResult result;
  result.iterations = iterations(member);
  result.work_units = work_units(member);
  arena::Control& control = arena_.control(member);
  const uint64_t published = control.cores_published;
  if (published != 0) {
    result.max_gap_ns = control.cores[(published - 1) % 2][offsetof(arena::Core, max_gap_ns) / sizeof(uint64_t)];
  }
  const arena::Bulk bulk = arena::TakeApart(arena_.bulk(member), arena::ShapeOf(arena_.host(member)));
  for (uint32_t stream = 0; stream < arena::kStreams; ++stream) {
    if (bulk.stores[stream].head == nullptr) continue;
    result.samples[stream] = bulk.stores[stream].head->total;
    result.smallest_sample[stream] = bulk.stores[stream].head->min_ns;
  }
  result.noop_reason = TextOf(control.noop_reason);
  result.policy_error = TextOf(control.setup_errors[arena::kSetPolicy]);
  result.ended_by_itself = board_->members[member].ended_by_itself != 0;
  return result;
}

absl::StatusOr<std::vector<MemberResult>> RunGroup(const GroupRunOptions& options, absl::Duration duration) {
  ASSIGN_OR_RETURN(std::unique_ptr<GroupRun> run, GroupRun::Start(options));
  const Deadline until = Deadline::After(duration);
  GroupRun::Eventually([&] { return until.Expired() && run->HaveIterations(1); }, duration + absl::Seconds(1));
  RETURN_IF_ERROR(run->Stop());
  std::vector<MemberResult> results;
  for (uint32_t i = 0; i < run->size(); ++i) results.push_back(run->result(i));
  return results;
}

}  // namespace muster
