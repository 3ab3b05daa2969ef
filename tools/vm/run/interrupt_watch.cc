#include "tools/vm/run/interrupt_watch.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "base/errno_status.h"
#include "base/log.h"
#include "tools/vm/exit_codes.h"

namespace muster::vm {

absl::StatusOr<std::unique_ptr<InterruptWatch>> InterruptWatch::Start() {
  std::unique_ptr<InterruptWatch> watch(new InterruptWatch());
  sigset_t taken;
  sigemptyset(&taken);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&taken, number);
  watch->signals_.Reset(signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK));
  watch->stop_.Reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!watch->signals_.valid() || !watch->stop_.valid()) return ErrnoStatus(errno, "watch for interrupts");
  pthread_sigmask(SIG_BLOCK, &taken, &watch->mask_before_);
  watch->thread_ = std::thread([raw = watch.get()] { raw->Run(); });
  return watch;
}

InterruptWatch::~InterruptWatch() {
  if (!thread_.joinable()) return;
  JoinThread();
  pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

void InterruptWatch::JoinThread() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t told = write(stop_.get(), &one, sizeof(one));
  thread_.join();
}

void InterruptWatch::HandOver() {
  JoinThread();
  sigaddset(&mask_before_, SIGINT);
  sigaddset(&mask_before_, SIGTERM);
  pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

void InterruptWatch::Run() {
  pollfd waits[] = {{signals_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
  while (poll(waits, 2, -1) < 0 && errno == EINTR) {
  }
  signalfd_siginfo info;
  if (read(signals_.get(), &info, sizeof(info)) != sizeof(info)) return;
  MutexLock lock(&mutex_);
  if (clean_up_) clean_up_();
  LogWarning(absl::StrCat("ended by signal ", info.ssi_signo));
  // Not exit: other threads are in the middle of their work, and nothing here waits for them.
  _exit(kExitInterrupted);
}

}  // namespace muster::vm
