// musterd: runs load on this machine for those who connect to it.
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "base/errno_status.h"
#include "base/event.h"
#include "base/file_io.h"
#include "base/log.h"
#include "base/make_thread.h"
#include "base/pidfd.h"
#include "base/standard_descriptors.h"
#include "base/status_macros.h"
#include "daemon/control_priority.h"
#include "daemon/daemon.h"
#include "daemon/flags.h"
#include "daemon/init/pid_one.h"
#include "daemon/systemd/self_check.h"
#include "daemon/systemd/service_manager.h"

namespace muster {
namespace {

// sysexits(3).
constexpr int kUsageExit = 64;
constexpr int kStartExit = 69;
constexpr int kSoftwareExit = 70;

// Reports are large: mapping and giving back their memory each time costs more than making them (mallopt(3); the first
// is its largest legal value).
constexpr int kMmapThreshold = 32 << 20;
constexpr int kTrimThreshold = 256 << 20;

// Blocks what a daemon can wait for in this thread, and so in all later ones. What the kernel sends to a thread for its
// own deed stays open.
absl::StatusOr<UniqueFd> BlockSignals() {
  signal(SIGPIPE, SIG_IGN);
  sigset_t blocked;
  sigfillset(&blocked);
  for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGXCPU}) sigdelset(&blocked, own);
  const int error = pthread_sigmask(SIG_SETMASK, &blocked, nullptr);
  if (error != 0) return ErrnoStatus(error, "block signals");
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  UniqueFd fd(signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) return ErrnoStatus(errno, "signalfd for SIGTERM");
  return fd;
}

// The process that started this one. The death signal of prctl(2) would come when only the thread ends that did.
// One that has ended before this looks is known by its pid only, when we were told that; without it only a ready pipe
// tells, which nobody reads then.
absl::StatusOr<Pidfd> OpenParent(pid_t expected) {
  const pid_t parent = getppid();
  if (expected != 0 && parent != expected) {
    return absl::NotFoundError(absl::StrCat("--parent-pid ", expected,
                                            ": the process that started the daemon has ended; the "
                                            "parent is ",
                                            parent, " now"));
  }
  ASSIGN_OR_RETURN(Pidfd pidfd, Pidfd::Open(parent));
  if (getppid() != parent) return absl::NotFoundError("the process that started the daemon has ended");
  return pidfd;
}

// A start is seconds of work where the machine is emulated and busy. The thread that makes all others must not become
// an ordinary one by it: they would be ordinary as well, as long as the daemon lives.
constexpr int kLongestStart = 10;

// Control above load; the daemon is of use without, so what fails is only told.
void RaiseControl(const DaemonConfig& config) {
  if (config.control_priority == 0) return;
  absl::Status status = GuardAgainstRealTimeLoops(kLongestStart * config.max_control_run);
  if (status.ok()) status = RaiseControlPriority(config.control_priority);
  if (!status.ok()) LogWarning(absl::StrCat(status.message(), "; load can hold up control"));
}

// Once it serves, no work of it takes that long.
void GuardServing(const DaemonConfig& config) {
  if (config.control_priority == 0) return;
  const absl::Status status = GuardAgainstRealTimeLoops(config.max_control_run);
  if (!status.ok()) LogWarning(status.message());
}

absl::Status SayReady(const DaemonConfig& config, const Daemon& daemon) {
  std::string lines;
  for (const std::string& address : daemon.Addresses()) {
    LogInfo(absl::StrCat("serving on ", address));
    absl::StrAppend(&lines, "READY ", address, "\n");
  }
  if (config.ready_fd < 0) return absl::OkStatus();
  const UniqueFd ready(config.ready_fd);
  return WriteAll(ready.get(), lines);
}

// What ends the daemon.
struct Ends {
  UniqueFd signals;
  // Not valid: nobody's death does.
  Pidfd parent;
};

// Returns why the daemon shall end.
std::string AwaitEnd(const Ends& ends, Daemon* daemon) {
  while (true) {
    // Negative descriptors are passed over.
    pollfd waiting[] = {{ends.signals.get(), POLLIN, 0},
                        {ends.parent.valid() ? ends.parent.fd() : -1, POLLIN, 0},
                        {daemon->janitor_fd(), POLLIN, 0}};
    if (poll(waiting, 3, -1) < 0 && errno != EINTR) return absl::StrCat("poll: ", ErrnoName(errno));
    signalfd_siginfo info;
    if (read(ends.signals.get(), &info, sizeof(info)) == sizeof(info)) {
      return absl::StrCat("signal ", info.ssi_signo, " from pid ", info.ssi_pid);
    }
    if ((waiting[1].revents & POLLIN) != 0) return "the process that started the daemon has ended";
    if ((waiting[2].revents & POLLIN) != 0) {
      LogWarning("the janitor has died; starting another one");
      const absl::Status status = daemon->ReplaceJanitor();
      if (!status.ok()) return absl::StrCat("there is no janitor: ", status.message());
    }
  }
}

// Once it is armed, ends the process if it is not destroyed in time; the janitor then does the rest.
class Watchdog {
 public:
  explicit Watchdog(absl::Duration timeout) : timeout_(timeout) {}
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  ~Watchdog() {
    done_.Set();
    armed_.Set();
    if (thread_.joinable()) thread_.join();
  }

  // Early: when the end comes there may be no room for a thread.
  absl::Status Start() {
    ASSIGN_OR_RETURN(thread_, MakeThread("the shutdown's watchdog", [this] { Watch(); }));
    return absl::OkStatus();
  }
  void Arm() { armed_.Set(); }

 private:
  void Watch() const {
    while (!armed_.Wait(Deadline::After(absl::InfiniteDuration()))) {
    }
    if (done_.Wait(Deadline::After(timeout_))) return;
    LogWarning(absl::StrCat("shutdown has not finished within ", absl::FormatDuration(timeout_),
                            "; leaving the rest to the janitor"));
    _exit(kSoftwareExit);
  }

  const absl::Duration timeout_;
  Event armed_;
  Event done_;
  std::thread thread_;
};

absl::StatusOr<Ends> Prepare(const DaemonConfig& config) {
  Ends ends;
  ASSIGN_OR_RETURN(ends.signals, BlockSignals());
  if (config.die_with_parent) {
    ASSIGN_OR_RETURN(ends.parent, OpenParent(config.parent_pid));
  }
  // The ready descriptor is for us alone.
  if (config.ready_fd >= 0 && fcntl(config.ready_fd, F_SETFD, FD_CLOEXEC) != 0) {
    return ErrnoStatus(errno, absl::StrCat("--ready-fd ", config.ready_fd));
  }
  mallopt(M_MMAP_THRESHOLD, kMmapThreshold);
  mallopt(M_TRIM_THRESHOLD, kTrimThreshold);
  // Debian's Abseil looks for deadlocks at each lock that gRPC takes; ours are others (base/mutex.h).
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  RaiseControl(config);
  return ends;
}

int Fail(int code, const absl::Status& status) {
  LogWarning(absl::StrCat("musterd: ", status.message()));
  return code;
}

// The service manager is told, not obeyed: one that does not hear changes nothing.
void Tell(const ServiceManager& manager, absl::string_view state) {
  const absl::Status told = manager.Notify(state);
  if (!told.ok()) LogWarning(told.message());
}

// Serves until something ends it; returns what.
absl::StatusOr<std::string> ServeUntilEnd(const DaemonConfig& config, const Ends& ends, const ServiceManager& manager,
                                          Daemon* daemon) {
  RETURN_IF_ERROR(SayReady(config, *daemon));
  std::unique_ptr<SelfCheck> check;
  if (manager.watchdog().has_value()) {
    // One period to wait and one to answer leave a third of the time.
    ASSIGN_OR_RETURN(check, SelfCheck::Start({.period = *manager.watchdog() / 3,
                                              .probe = [daemon](Deadline deadline) { return daemon->Probe(deadline); },
                                              .went_well = [&manager] { Tell(manager, "WATCHDOG=1"); }}));
  }
  Tell(manager, "READY=1\nSTATUS=serving");
  std::string why = AwaitEnd(ends, daemon);
  check.reset();
  Tell(manager, "STOPPING=1");
  return why;
}

int Run(const DaemonConfig& config) {
  absl::StatusOr<ServiceManager> manager = ServiceManager::FromEnvironment();
  if (!manager.ok()) return Fail(kStartExit, manager.status());
  const absl::StatusOr<Ends> ends = Prepare(config);
  if (!ends.ok()) return Fail(kStartExit, ends.status());
  absl::StatusOr<std::unique_ptr<Daemon>> daemon = Daemon::Start(config, manager->TakeSockets());
  if (!daemon.ok()) return Fail(kStartExit, daemon.status());
  Watchdog watchdog(config.shutdown_timeout);
  absl::Status status = watchdog.Start();
  if (!status.ok()) return Fail(kStartExit, status);
  GuardServing(config);
  const absl::StatusOr<std::string> why = ServeUntilEnd(config, *ends, *manager, daemon->get());
  LogInfo(absl::StrCat("ending: ", why.ok() ? *why : std::string(why.status().message())));
  watchdog.Arm();
  status = why.status();
  status.Update((*daemon)->Shutdown(Deadline::After(config.shutdown_timeout)));
  daemon->reset();
  return status.ok() ? 0 : Fail(kSoftwareExit, status);
}

}  // namespace
}  // namespace muster

int main(int argc, char** argv) {
  muster::FillStandardDescriptors();
  // The daemon is its child.
  if (getpid() == 1) return muster::init::RunAsPidOne({argv, argv + argc});
  const absl::StatusOr<muster::DaemonConfig> config = muster::ParseFlags(argc, argv);
  if (!config.ok()) return muster::Fail(muster::kUsageExit, config.status());
  return muster::Run(*config);
}
