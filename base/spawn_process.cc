#include "base/spawn_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/errno_status.h"
#include "base/file_io.h"
#include "base/start_error.h"
#include "base/status_macros.h"
#include "base/unique_fd.h"

namespace muster {
namespace {

constexpr int kMaxChildFd = 255;

// posix_spawn's two objects, destroyed together.
class SpawnPlan {
 public:
  SpawnPlan() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  posix_spawn_file_actions_t* actions() { return &actions_; }
  posix_spawnattr_t* attributes() { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

absl::Status Check(int error_number, absl::string_view what) {
  return error_number == 0 ? absl::OkStatus() : ErrnoStatus(error_number, what);
}

// The calling thread's alone; what it spawns inherits it.
class FixedLayout {
 public:
  explicit FixedLayout(bool wanted) {
    constexpr unsigned long kAsk = 0xffffffff;
    const int before = wanted ? personality(kAsk) : -1;
    if (before == -1 || (before & ADDR_NO_RANDOMIZE) != 0) return;
    if (personality(static_cast<unsigned long>(before) | ADDR_NO_RANDOMIZE) != -1) before_ = before;
  }
  ~FixedLayout() {
    if (before_ != -1) personality(static_cast<unsigned long>(before_));
  }
  FixedLayout(const FixedLayout&) = delete;
  FixedLayout& operator=(const FixedLayout&) = delete;

 private:
  int before_ = -1;
};

absl::Status CheckOptions(const SpawnOptions& options) {
  std::set<int> seen;
  for (const DescriptorMapping& mapping : options.descriptors) {
    if (mapping.child_fd < 0 || mapping.child_fd > kMaxChildFd || !seen.insert(mapping.child_fd).second) {
      return absl::InvalidArgumentError(absl::StrCat("spawn ", options.program, ": descriptor ", mapping.child_fd,
                                                     " of the child is given twice or is not within 0 to ",
                                                     kMaxChildFd));
    }
  }
  if (options.arguments.empty())
    return absl::InvalidArgumentError(absl::StrCat("spawn ", options.program, ": no argv[0]"));
  return absl::OkStatus();
}

// A copy of `parent_fd` above every number that the child uses, so that no dup2 of the plan overwrites the source of
// another.
absl::StatusOr<UniqueFd> CopyAbove(int parent_fd) {
  UniqueFd copy(fcntl(parent_fd, F_DUPFD_CLOEXEC, kMaxChildFd + 1));
  // EINVAL: the limit on descriptors is below the number asked for.
  if (!copy.valid())
    return ErrnoStatus(errno == EINVAL ? EMFILE : errno, absl::StrCat("duplicate descriptor ", parent_fd));
  return copy;
}

absl::StatusOr<UniqueFd> SourceFor(const SpawnOptions& options, int child_fd) {
  for (const DescriptorMapping& mapping : options.descriptors) {
    if (mapping.child_fd == child_fd) return CopyAbove(mapping.parent_fd);
  }
  if (child_fd > STDERR_FILENO) return UniqueFd();
  if (child_fd != STDIN_FILENO && fcntl(STDERR_FILENO, F_GETFD) != -1) return CopyAbove(STDERR_FILENO);
  ASSIGN_OR_RETURN(const UniqueFd null, OpenAt(AT_FDCWD, "/dev/null", O_RDWR));
  return CopyAbove(null.get());
}

// Fills the actions; the returned copies must live until the spawn.
absl::StatusOr<std::vector<UniqueFd>> PlanDescriptors(const SpawnOptions& options,
                                                      posix_spawn_file_actions_t* actions) {
  int highest = STDERR_FILENO;
  for (const DescriptorMapping& mapping : options.descriptors) highest = std::max(highest, mapping.child_fd);
  std::vector<UniqueFd> sources;
  for (int child_fd = 0; child_fd <= highest; ++child_fd) {
    ASSIGN_OR_RETURN(UniqueFd source, SourceFor(options, child_fd));
    // Closing a number that is not open is no error; posix_spawn_file_actions_addclose(3).
    RETURN_IF_ERROR(Check(source.valid() ? posix_spawn_file_actions_adddup2(actions, source.get(), child_fd)
                                         : posix_spawn_file_actions_addclose(actions, child_fd),
                          "plan the descriptors of a child"));
    sources.push_back(std::move(source));
  }
  RETURN_IF_ERROR(
      Check(posix_spawn_file_actions_addclosefrom_np(actions, highest + 1), "plan the descriptors of a child"));
  return sources;
}

absl::Status PlanSignals(const SpawnOptions& options, posix_spawnattr_t* attributes) {
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  if (options.new_session) flags |= POSIX_SPAWN_SETSID;
  RETURN_IF_ERROR(Check(posix_spawnattr_setsigmask(attributes, &none), "plan the signal mask of a child"));
  RETURN_IF_ERROR(Check(posix_spawnattr_setsigdefault(attributes, &all), "plan the signals of a child"));
  return Check(posix_spawnattr_setflags(attributes, flags), "plan the start of a child");
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& text : strings) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

absl::StatusOr<SpawnedProcess> SpawnProcess(const SpawnOptions& options) {
  RETURN_IF_ERROR(CheckOptions(options));
  SpawnPlan plan;
  ASSIGN_OR_RETURN(const std::vector<UniqueFd> sources, PlanDescriptors(options, plan.actions()));
  RETURN_IF_ERROR(PlanSignals(options, plan.attributes()));
  const std::vector<char*> arguments = Pointers(options.arguments);
  const std::vector<char*> environment = Pointers(options.environment);
  pid_t pid = -1;
  const FixedLayout layout(options.fixed_layout);
  const int error_number = posix_spawn(&pid, options.program.c_str(), plan.actions(), plan.attributes(),
                                       arguments.data(), options.environment.empty() ? environ : environment.data());
  if (error_number != 0) return StartError(error_number, absl::StrCat("spawn ", options.program));
  absl::StatusOr<Pidfd> pidfd = Pidfd::Open(pid);
  if (!pidfd.ok()) {
    // Without a handle nobody could end it: it goes at once. It is our unreaped child, so its number is still its own.
    kill(pid, SIGKILL);
    while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    return pidfd.status();
  }
  return SpawnedProcess{pid, *std::move(pidfd)};
}

}  // namespace muster
