// What `muster vm` ends with besides the codes of `muster run` (tools/cli/exit_code.h).
#ifndef MUSTER_TOOLS_VM_EXIT_CODES_H_
#define MUSTER_TOOLS_VM_EXIT_CODES_H_

namespace muster::vm {

enum GuestExitCode {
  // The guest could not be prepared: no kernel, no QEMU, no image.
  kExitNoGuest = 10,
  // The guest's kernel panicked.
  kExitPanicked = 11,
  // The guest's init did not come up in time, or QEMU ended before it did.
  kExitBootHung = 12,
  // Init came up, and musterd did not say that it serves.
  kExitNeverServed = 13,
  // The guest was there and is gone.
  kExitGuestLost = 14,
  // The scheduler could not be loaded in the guest.
  kExitNoScheduler = 15,
  // The guest's kernel ejected the scheduler, or it was replaced, before the end of the run.
  kExitSchedulerEjected = 16,
  // Ended by SIGINT, SIGTERM or SIGHUP.
  kExitInterrupted = 130,
};

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_EXIT_CODES_H_
