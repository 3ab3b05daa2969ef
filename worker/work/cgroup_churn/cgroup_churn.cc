// Moves itself from cgroup to cgroup: the migration path, with its kernel-wide lock.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/cgroup_dir.h"
#include "base/errno_status.h"
#include "base/file_io.h"
#include "base/status_macros.h"
#include "worker/core/work_type.h"
#include "worker/parts/own_cgroup.h"
#include "worker/parts/sleep.h"

namespace muster {
namespace {

constexpr uint64_t kSpin = 256;

std::string LeafName(uint32_t index) { return absl::StrCat("churn-", index); }

class CgroupChurnStep final : public Step {
 public:
  CgroupChurnStep(uint32_t groups, uint64_t cycle_ns) : groups_(groups), cycle_ns_(cycle_ns) {}

  // Back home; the last worker to leave a leaf removes it.
  ~CgroupChurnStep() override {
    if (!home_.ok() || !home_->MoveSelfHere().ok()) return;
    for (uint32_t i = 0; i < groups_; ++i) (void)home_->RemoveEmpty(LeafName(i));
  }

  StepResult Run(Meter& meter) override {
    if (!began_) {
      began_ = true;
      const absl::Status status = Begin();
      if (!status.ok()) meter.SetNoopReason(status.message());
    }
    if (!leaves_.empty()) MoveOn(meter);
    if (!SleepWantedFor(meter, cycle_ns_)) return StepResult::kAbandon;
    meter.SpinBurst(kSpin);
    return StepResult::kContinue;
  }

 private:
  // Neighbours in the same cgroup share its leaves: whoever comes first makes them.
  absl::Status Begin() {
    ASSIGN_OR_RETURN(const std::string path, OwnCgroupPath());
    home_ = CgroupDir::OpenPath(path);
    RETURN_IF_ERROR(home_.status());
    std::vector<UniqueFd> leaves;
    for (uint32_t i = 0; i < groups_; ++i) {
      ASSIGN_OR_RETURN(const CgroupDir leaf, home_->Create(LeafName(i)));
      ASSIGN_OR_RETURN(UniqueFd procs, OpenAt(leaf.fd(), "cgroup.procs", O_WRONLY));
      leaves.push_back(std::move(procs));
    }
    leaves_ = std::move(leaves);
    return absl::OkStatus();
  }

  void MoveOn(Meter& meter) {
    // "0" is the writer's own process.
    if (write(leaves_[next_++ % leaves_.size()].get(), "0", 1) == 1) return;
    const absl::Status status = ErrnoStatus(errno, "write to cgroup.procs of a churn cgroup");
    meter.SetNoopReason(status.message());
  }

  const uint32_t groups_;
  const uint64_t cycle_ns_;
  bool began_ = false;
  absl::StatusOr<CgroupDir> home_ = absl::UnknownError("not opened yet");
  std::vector<UniqueFd> leaves_;
  uint64_t next_ = 0;
};

bool MayMakeCgroups() {
  const absl::StatusOr<std::string> own = OwnCgroupPath();
  return own.ok() && access(own->c_str(), W_OK) == 0;
}

class CgroupChurnType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {
        .summary = "Moves itself between cgroups: the migration path and its kernel-wide lock.",
        .units_per_iteration = "256",
        .needs = {{.need = "write access to its cgroup", .met = MayMakeCgroups(), .otherwise = "stays where it is"}},
        .runs_in_threads = false,
        .why_not_threads = "it moves its whole process, and all neighbours with it"};
  }
  uint32_t Streams(const v1::Work&) const override { return kNoSamples; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace&, Plumbing&) const override {
    return std::make_unique<CgroupChurnStep>(work.cgroup_churn().groups(), work.cgroup_churn().cycle_ms() * 1'000'000);
  }
};

MUSTER_WORK_TYPE(kCgroupChurn, CgroupChurnType);

}  // namespace
}  // namespace muster
