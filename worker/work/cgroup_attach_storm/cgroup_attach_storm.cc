// Attaches children to another cgroup while they die: the race between migration and exit.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/errno_status.h"
#include "base/file_io.h"
#include "base/status_macros.h"
#include "worker/core/blocking.h"
#include "worker/core/work_type.h"
#include "worker/parts/child.h"
#include "worker/parts/own_cgroup.h"

namespace muster {
namespace {

class CgroupAttachStormStep final : public Step {
 public:
  CgroupAttachStormStep(std::string dest, v1::ReapMode reap) : dest_(std::move(dest)), reap_(reap) {}

  ~CgroupAttachStormStep() override {
    if (reap_ == v1::REAP_SIG_IGN && began_) signal(SIGCHLD, SIG_DFL);
  }

  StepResult Run(Meter& meter) override {
    if (!began_) Begin(meter);
    if (!procs_.valid()) {
      sched_yield();
      return StepResult::kContinue;
    }
    const pid_t child = ForkIdleChild();
    if (child < 0) {
      meter.SetNoopReason("fork failed: no child to attach (a limit on processes?)");
      sched_yield();
      return StepResult::kContinue;
    }
    Attach(child, meter);
    return reap_ == v1::REAP_SIG_IGN || Reap(child, meter) ? StepResult::kContinue : StepResult::kAbandon;
  }

 private:
  void Begin(Meter& meter) {
    began_ = true;
    if (reap_ == v1::REAP_SIG_IGN) signal(SIGCHLD, SIG_IGN);
    const absl::Status status = OpenDestination();
    if (!status.ok()) meter.SetNoopReason(status.message());
  }

  absl::Status OpenDestination() {
    ASSIGN_OR_RETURN(const std::string own, OwnCgroupPath());
    ASSIGN_OR_RETURN(procs_, OpenAt(AT_FDCWD, absl::StrCat(own, "/../", dest_, "/cgroup.procs"), O_WRONLY));
    return absl::OkStatus();
  }

  // A child that is gone already (ESRCH) is what this is about.
  void Attach(pid_t child, Meter& meter) {
    char text[16];
    const int length = snprintf(text, sizeof(text), "%d", child);
    if (write(procs_.get(), text, static_cast<size_t>(length)) != length && errno != ESRCH) {
      const absl::Status status = ErrnoStatus(errno, "attach of a child");
      meter.SetNoopReason(status.message());
    }
    meter.AddUnits(1);
  }

  bool Reap(pid_t child, Meter& meter) {
    int status = 0;
    const uint64_t before_ns = MonotonicNs();
    if (!WaitForChild(meter, child, &status)) {
      meter.EndCutWait(before_ns);
      return false;
    }
    const uint64_t now_ns = MonotonicNs();
    meter.WakeSample(now_ns - before_ns);
    meter.EndWait(before_ns, now_ns);
    return true;
  }

  const std::string dest_;
  const v1::ReapMode reap_;
  bool began_ = false;
  UniqueFd procs_;
};

class CgroupAttachStormType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "Attaches dying children to a sibling cgroup: migration against exit.",
            .units_per_iteration = "1",
            .needs = {{.need = "a cgroup `dest` beside the worker's own, and write access to it",
                       .met = false,
                       .otherwise = "yields; no units"}},
            .runs_in_threads = false,
            .why_not_threads =
                "it ignores SIGCHLD for its whole process, whose other workers could then not wait for their children"};
  }
  uint32_t Streams(const v1::Work& work) const override {
    return work.cgroup_attach_storm().reap() == v1::REAP_WAITPID ? kWakeSamples : kNoSamples;
  }
  uint32_t StreamsOfSomeParameters() const override { return kWakeSamples; }
  absl::Status Validate(const v1::Work& work) const override {
    const std::string& dest = work.cgroup_attach_storm().dest();
    if (!dest.empty() && dest[0] != '.' && !absl::StrContains(dest, "/")) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("dest: \"", dest, "\" is not the name of one cgroup; it has no '/' and does not begin with '.'"));
  }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace&, Plumbing&) const override {
    return std::make_unique<CgroupAttachStormStep>(work.cgroup_attach_storm().dest(),
                                                   work.cgroup_attach_storm().reap());
  }
};

MUSTER_WORK_TYPE(kCgroupAttachStorm, CgroupAttachStormType);

}  // namespace
}  // namespace muster
