// Children that do not outlive us.
#ifndef MUSTER_TOOLS_VM_RUN_LEASHED_PROCESS_H_
#define MUSTER_TOOLS_VM_RUN_LEASHED_PROCESS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/pidfd.h"
#include "base/unique_fd.h"

namespace muster::vm {

struct LeashOptions {
  // argv; the program is looked up on PATH.
  std::vector<std::string> arguments;
  // Descriptors of the caller for the child's standard streams; -1: /dev/null.
  int input = -1;
  int output = -1;
  int error = -1;
  // One more descriptor that the child keeps open, as number 3; -1: none.
  int kept = -1;
  // The kernel kills the child when the calling thread ends (PR_SET_PDEATHSIG).
  bool leashed = true;
};

// Owns a child; the destructor kills and reaps it, unless it was released. Move-only. Thread-compatible, but Kill may
// be called by any thread at any time.
class LeashedProcess {
 public:
  // The child leads a session of its own, so that a terminal's signals do not reach it.
  static absl::StatusOr<LeashedProcess> Spawn(const LeashOptions& options);

  LeashedProcess(LeashedProcess&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_)) {}
  LeashedProcess& operator=(LeashedProcess&&) = delete;
  ~LeashedProcess();

  pid_t pid() const { return pid_; }
  const Pidfd& pidfd() const { return pidfd_; }
  bool HasEnded() const;

  void Kill() const;
  // It runs on without an owner.
  void Release() && { pid_ = -1; }

 private:
  LeashedProcess(pid_t pid, Pidfd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}

  // -1: owns none.
  pid_t pid_;
  Pidfd pidfd_;
};

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_RUN_LEASHED_PROCESS_H_
