#include "tools/vm/run/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/clock.h"
#include "base/errno_status.h"
#include "base/file_io.h"
#include "base/status_macros.h"
#include "tools/vm/run/kept_guests.h"

namespace muster::vm {
namespace {

constexpr size_t kTailLines = 20;
constexpr size_t kMaxPanic = 300;
constexpr int kLaunchAttempts = 3;
constexpr absl::Duration kDeviceLimit = absl::Seconds(10);
// An idle guest answers within milliseconds.
constexpr absl::Duration kAnswerLimit = absl::Seconds(5);

absl::Status WriteImage(const std::string& path, const std::string& image) {
  ASSIGN_OR_RETURN(const UniqueFd fd, OpenAt(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL, 0600));
  return WriteAll(fd.get(), image);
}

absl::StatusOr<UniqueFd> OpenLog(const std::string& path) {
  return OpenAt(AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND, 0600);
}

std::string ReadLog(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  return text.ok() ? std::string(absl::StripAsciiWhitespace(*text)) : "";
}

// A thread of the device that panics leaves the process, which then carries nothing.
std::string FindPanicOfDevice(const std::string& log_path) {
  const std::string log = ReadLog(log_path);
  const size_t at = log.find("panicked at");
  return at == std::string::npos ? "" : log.substr(at, kMaxPanic);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Guest>> Guest::Launch(const GuestOptions& options) {
  absl::Status last;
  for (int attempt = 0; attempt < kLaunchAttempts; ++attempt) {
    ASSIGN_OR_RETURN(GuestDir directory, GuestDir::Create(options.root));
    ASSIGN_OR_RETURN(Transport transport, ChooseTransport({options.transport, directory.path()}, options.host_vsock));
    std::unique_ptr<Guest> guest(new Guest(std::move(directory), std::move(transport)));
    RETURN_IF_ERROR(guest->Start(options));
    // QEMU refuses its command line, a port that is taken or a socket that is not there at once, before the guest's
    // first instruction. No kernel says a word that early.
    const Deadline settled = Deadline::After(absl::Seconds(1));
    while (!guest->qemu_->HasEnded() && guest->console_is_empty() && !settled.Expired()) guest->WaitForNews(settled);
    if (!guest->qemu_->HasEnded()) return guest;
    last = absl::InternalError(absl::StrCat("QEMU ended at its start: ", ReadLog(guest->directory() + "/qemu.log")));
  }
  return last;
}

absl::Status Guest::Start(const GuestOptions& options) {
  news_.Reset(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!news_.valid() || inotify_add_watch(news_.get(), directory_.path().c_str(), IN_CREATE | IN_MODIFY) < 0) {
    return ErrnoStatus(errno, absl::StrCat("watch ", directory_.path()));
  }
  RETURN_IF_ERROR(WriteImage(directory_.path() + "/image.cpio", options.image));
  if (transport_.kind == TransportKind::kVhostUserVsock) RETURN_IF_ERROR(StartDevice(options));
  return StartQemu(options);
}

absl::Status Guest::StartDevice(const GuestOptions& options) {
  const std::string log_path = directory_.path() + "/vsock.log";
  ASSIGN_OR_RETURN(const UniqueFd log, OpenLog(log_path));
  LeashOptions leash;
  leash.arguments = DeviceArguments(transport_);
  leash.output = log.get();
  leash.error = log.get();
  // A kept guest may end by itself, and the device does not notice: who holds the folder can be found.
  leash.kept = directory_.lock_fd();
  leash.leashed = !options.may_be_kept;
  ASSIGN_OR_RETURN(LeashedProcess device, LeashedProcess::Spawn(leash));
  device_.emplace(std::move(device));
  if (options.may_be_kept) RETURN_IF_ERROR(RecordProcesses());
  const Deadline deadline = Deadline::After(kDeviceLimit);
  while (access(transport_.device_socket.c_str(), F_OK) != 0) {
    if (device_->HasEnded())
      return absl::InternalError(absl::StrCat("vhost-device-vsock ended at its start: ", ReadLog(log_path)));
    if (deadline.Expired()) return absl::DeadlineExceededError("vhost-device-vsock made no socket in time");
    pollfd waits[] = {{news_.get(), POLLIN, 0}, {device_->pidfd().fd(), POLLIN, 0}};
    poll(waits, 2, deadline.PollTimeoutMs());
    char events[4096];
    while (read(news_.get(), events, sizeof(events)) > 0) {
    }
  }
  return absl::OkStatus();
}

absl::Status Guest::StartQemu(const GuestOptions& options) {
  QemuCommand command;
  command.program = options.qemu;
  command.accelerator = options.accelerator;
  command.shape = options.shape;
  command.transport = transport_;
  command.kernel = options.kernel;
  command.initrd = directory_.path() + "/image.cpio";
  command.kernel_arguments = options.kernel_arguments;
  command.daemon_arguments = options.daemon_arguments;
  command.musterd_is_init = options.musterd_is_init;
  ASSIGN_OR_RETURN(const UniqueFd console, OpenLog(directory_.path() + "/console.log"));
  ASSIGN_OR_RETURN(const UniqueFd log, OpenLog(directory_.path() + "/qemu.log"));
  int keyboard[2];
  if (pipe2(keyboard, O_CLOEXEC) != 0) return ErrnoStatus(errno, "make a pipe");
  keyboard_reader_.Reset(keyboard[0]);
  keyboard_.Reset(keyboard[1]);
  LeashOptions leash;
  leash.arguments = QemuArguments(command);
  leash.input = keyboard_reader_.get();
  leash.output = console.get();
  leash.error = log.get();
  leash.kept = directory_.lock_fd();
  leash.leashed = !options.may_be_kept;
  started_ = absl::Now();
  ASSIGN_OR_RETURN(LeashedProcess qemu, LeashedProcess::Spawn(leash));
  qemu_.emplace(std::move(qemu));
  return options.may_be_kept ? RecordProcesses() : absl::OkStatus();
}

absl::Status Guest::RecordProcesses() const {
  KeptGuest kept = {directory_.path(), address(), {}};
  if (qemu_.has_value()) kept.pids.push_back(qemu_->pid());
  if (device_.has_value()) kept.pids.push_back(device_->pid());
  return RecordKeptGuest(kept);
}

void Guest::WaitForNews(Deadline deadline) {
  pollfd waits[] = {{news_.get(), POLLIN, 0}, {qemu_->pidfd().fd(), POLLIN, 0}};
  poll(waits, 2, deadline.PollTimeoutMs());
  char events[4096];
  while (read(news_.get(), events, sizeof(events)) > 0) {
  }
  const BootProgress progress = ReadConsole();
  const absl::Duration since = absl::Now() - started_;
  if (progress.up.has_value() && !seen_up_.has_value()) seen_up_ = since;
  if (progress.daemon_ready.has_value() && !seen_ready_.has_value()) {
    seen_ready_ = since;
    cpu_when_ready_ = absl::Nanoseconds(ProcessCpuNs(qemu_->pid()).value_or(0));
  }
}

BootProgress Guest::boot_progress() const {
  const MutexLock lock(&console_mutex_);
  return console_.progress();
}

bool Guest::console_is_empty() const {
  const MutexLock lock(&console_mutex_);
  return console_.empty();
}

BootProgress Guest::ReadConsole() {
  const MutexLock lock(&console_mutex_);
  console_.Update();
  return console_.progress();
}

GuestFailure Guest::Failure(GuestExitCode code, const std::string& what) {
  const std::string tail = ConsoleTail(kTailLines);
  const std::string log = ReadLog(directory_.path() + "/qemu.log");
  return {code,
          absl::StrCat(what, log.empty() ? "" : absl::StrCat("; QEMU says: ", log),
                       tail.empty() ? "; its console is empty" : absl::StrCat("; the console's last lines:\n", tail))};
}

std::optional<GuestFailure> Guest::FindFailure() {
  // In this order: what QEMU wrote before its end is then in the log.
  const bool ended = qemu_->HasEnded();
  const BootProgress progress = ReadConsole();
  if (progress.panic.has_value())
    return Failure(kExitPanicked, absl::StrCat("the guest's kernel panicked: ", *progress.panic));
  if (progress.scheduler.failed.has_value()) {
    const std::string what = absl::StrCat("load the scheduler in the guest: ", *progress.scheduler.failed);
    return GuestFailure{kExitNoScheduler, WithReasons(what, progress.scheduler)};
  }
  if (progress.daemon_ended.has_value()) {
    return Failure(progress.daemon_ready.has_value() ? kExitGuestLost : kExitNeverServed,
                   absl::StrCat("musterd in the guest ended with ", *progress.daemon_ended));
  }
  if (ended) return Failure(progress.up.has_value() ? kExitGuestLost : kExitBootHung, "QEMU ended");
  if (device_.has_value() && device_->HasEnded()) return Failure(kExitGuestLost, "vhost-device-vsock ended");
  const std::string panic = device_.has_value() ? FindPanicOfDevice(directory_.path() + "/vsock.log") : "";
  if (!panic.empty()) return Failure(kExitGuestLost, absl::StrCat("vhost-device-vsock ", panic));
  return std::nullopt;
}

template <typename Done>
std::optional<GuestFailure> Guest::WaitUntil(Done done, Deadline deadline, GuestFailure late) {
  while (true) {
    if (done(boot_progress())) return std::nullopt;
    std::optional<GuestFailure> failure = FindFailure();
    if (failure.has_value()) return failure;
    if (deadline.Expired()) return Failure(late.code, late.message);
    // QEMU's end is news too; the device's is looked at with every second.
    WaitForNews(Earlier(deadline, Deadline::After(absl::Seconds(1))));
  }
}

std::optional<GuestFailure> Guest::WaitForInit(Deadline deadline) {
  return WaitUntil([](const BootProgress& progress) { return progress.up.has_value(); }, deadline,
                   {kExitBootHung, "the guest hung at its boot: init did not come up in time"});
}

std::optional<GuestFailure> Guest::WaitForDaemon(Deadline deadline) {
  return WaitUntil([](const BootProgress& progress) { return progress.daemon_ready.has_value(); }, deadline,
                   {kExitNeverServed, "musterd in the guest did not say in time that it serves"});
}

absl::StatusOr<SchedulerSample> Guest::SampleScheduler(Deadline deadline) {
  while (true) {
    const size_t before = scheduler_log().samples;
    // Again when no answer came: the kernel may have written into its line.
    WriteAll(keyboard_.get(), "scheduler\n").IgnoreError();
    const auto answered = [before](const BootProgress& progress) { return progress.scheduler.samples > before; };
    const std::optional<GuestFailure> failure =
        WaitUntil(answered, Earlier(deadline, Deadline::After(kAnswerLimit)), {kExitGuestLost, "init does not answer"});
    const SchedulerSample last = scheduler_log().last;
    if (!failure.has_value() && last.settled()) return last;
    if (failure.has_value() && (deadline.Expired() || FindFailure().has_value()))
      return absl::UnavailableError(absl::StrCat("ask for the guest's scheduler: ", failure->message));
    if (deadline.Expired())
      return absl::DeadlineExceededError(absl::StrCat("wait for the end of the scheduler, which is ", last.state));
  }
}

std::string Guest::ConsoleTail(size_t lines) {
  const MutexLock lock(&console_mutex_);
  console_.Update();
  return console_.Tail(lines);
}

BootTimes Guest::boot_times() const {
  const BootProgress said = boot_progress();
  const absl::Duration up = said.up.value_or(absl::ZeroDuration());
  const absl::Duration started = said.daemon_started.value_or(up);
  BootTimes times;
  times.kernel = up;
  times.qemu = std::max(absl::ZeroDuration(), seen_up_.value_or(up) - up);
  times.init = started - up;
  times.daemon = seen_ready_.value_or(absl::ZeroDuration()) - seen_up_.value_or(absl::ZeroDuration()) - times.init;
  times.cpu = cpu_when_ready_;
  return times;
}

absl::Duration Guest::PowerOff(Deadline deadline) {
  const absl::Time begin = absl::Now();
  WriteAll(keyboard_.get(), "poweroff\n").IgnoreError();
  if (!qemu_->pidfd().WaitEnd(deadline).ok()) qemu_->Kill();
  return absl::Now() - begin;
}

void Guest::Kill() const {
  qemu_->Kill();
  if (device_.has_value()) device_->Kill();
}

void Guest::Keep(std::unique_ptr<Guest> guest) {
  std::move(*guest->qemu_).Release();
  if (guest->device_.has_value()) std::move(*guest->device_).Release();
  std::move(guest->directory_).Release();
}

}  // namespace muster::vm
