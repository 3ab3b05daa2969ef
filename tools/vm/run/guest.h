// One guest, from QEMU's start to its end.
#ifndef MUSTER_TOOLS_VM_RUN_GUEST_H_
#define MUSTER_TOOLS_VM_RUN_GUEST_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/deadline.h"
#include "base/mutex.h"
#include "tools/vm/exit_codes.h"
#include "tools/vm/qemu/command.h"
#include "tools/vm/run/console_log.h"
#include "tools/vm/run/guest_dir.h"
#include "tools/vm/run/leashed_process.h"

namespace muster::vm {

struct GuestOptions {
  // Path of the guest's kernel, and what keeps the file there until the guest has booted; may be null.
  std::string kernel;
  std::shared_ptr<const void> kernel_held;
  // An uncompressed cpio archive.
  std::string image;
  Shape shape;
  Accelerator accelerator = Accelerator::kTcg;
  // Of ChooseTransport.
  std::string transport = "auto";
  HostVsock host_vsock;
  std::string kernel_arguments;
  std::vector<std::string> daemon_arguments;
  // As the image has it.
  bool musterd_is_init = false;
  std::string qemu = "qemu-system-x86_64";
  // The guest may outlive this process; see Keep, and kept_guests.h for what ends it then.
  bool may_be_kept = false;
  // Where the guest's folder is made.
  std::string root = GuestDirRoot();
};

// Why a guest is not, or no longer, of use.
struct GuestFailure {
  GuestExitCode code = kExitNoGuest;
  // With the console's last lines where they tell something.
  std::string message;
};

// Where the time went; durations from the previous stage.
struct BootTimes {
  // From QEMU's start to its kernel's first instruction: program loading and firmware.
  absl::Duration qemu;
  absl::Duration kernel;
  // Init's own work, to musterd's start.
  absl::Duration init;
  // musterd, until it says that it serves.
  absl::Duration daemon;
  // What QEMU had used of this machine's CPUs by then; with less than the sum of the others it was not alone here.
  absl::Duration cpu;
};

// Owns QEMU, the vsock device beside it, and their folder; the destructor ends the two and removes the folder.
// Thread-compatible; besides, any thread may call FindFailure, ConsoleTail and Kill while another one waits.
class Guest {
 public:
  // Starts QEMU. A port or socket that somebody else took in between makes it try again.
  static absl::StatusOr<std::unique_ptr<Guest>> Launch(const GuestOptions& options);

  // Until init is up, and until musterd has said that it serves. nullopt: it came.
  std::optional<GuestFailure> WaitForInit(Deadline deadline);
  std::optional<GuestFailure> WaitForDaemon(Deadline deadline);

  // Why the guest ended or cannot work any more, when that is so.
  std::optional<GuestFailure> FindFailure();

  // Asks init how the guest's scheduler stands, until it has an answer that is no state of transition.
  absl::StatusOr<SchedulerSample> SampleScheduler(Deadline deadline);
  SchedulerLog scheduler_log() const { return boot_progress().scheduler; }

  // For a client.
  std::string address() const { return ClientAddress(transport_); }
  const Transport& transport() const { return transport_; }
  std::string ConsoleTail(size_t lines);
  // After WaitForDaemon.
  BootTimes boot_times() const;

  // Asks init to switch the machine off; kills QEMU at the deadline. The time that it took.
  absl::Duration PowerOff(Deadline deadline);
  // At once.
  void Kill() const;
  const std::string& directory() const { return directory_.path(); }
  const Pidfd& qemu() const { return qemu_->pidfd(); }
  pid_t qemu_pid() const { return qemu_->pid(); }

  // Leaves the guest running after us, with its folder; only with may_be_kept.
  static void Keep(std::unique_ptr<Guest> guest);

 private:
  Guest(GuestDir directory, Transport transport)
      : directory_(std::move(directory)),
        transport_(std::move(transport)),
        console_(directory_.path() + "/console.log") {}

  absl::Status Start(const GuestOptions& options);
  absl::Status StartDevice(const GuestOptions& options);
  absl::Status StartQemu(const GuestOptions& options);
  // At once after each start: whoever ends this process without a word leaves processes that can be found.
  absl::Status RecordProcesses() const;
  // Until `done` or a failure.
  template <typename Done>
  std::optional<GuestFailure> WaitUntil(Done done, Deadline deadline, GuestFailure late);
  void WaitForNews(Deadline deadline);
  // By what was last read, and by what is read now.
  BootProgress boot_progress() const;
  bool console_is_empty() const;
  BootProgress ReadConsole();
  GuestFailure Failure(GuestExitCode code, const std::string& what);

  GuestDir directory_;
  Transport transport_;
  mutable Mutex console_mutex_;
  ConsoleLog console_ ABSL_GUARDED_BY(console_mutex_);
  // inotify on the folder.
  UniqueFd news_;
  // QEMU's standard input: the guest's keyboard.
  UniqueFd keyboard_;
  // The end that QEMU reads, open here too: writing to a QEMU that has ended must raise no SIGPIPE.
  UniqueFd keyboard_reader_;
  std::optional<LeashedProcess> device_;
  std::optional<LeashedProcess> qemu_;
  absl::Time started_;
  // When the host saw the line of init, and of musterd's readiness.
  std::optional<absl::Duration> seen_up_;
  std::optional<absl::Duration> seen_ready_;
  absl::Duration cpu_when_ready_;
};

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_RUN_GUEST_H_
