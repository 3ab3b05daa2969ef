#include "daemon/poolhost/pool_host.h"

#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/error_detail.h"
#include "base/log.h"
#include "base/make_thread.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "daemon/poolhost/pending_requests.h"

namespace muster {
namespace {

// The pool host reads its channel whenever it does not wait for something bounded itself; one that takes longer is
// broken.
constexpr absl::Duration kSendBound = absl::Seconds(5);
// From a SIGKILL to the end, for a process that is not stuck in the kernel.
constexpr absl::Duration kKillBound = absl::Seconds(1);

std::string Describe(pid_t pid, const absl::StatusOr<ProcessEnd>& end) {
  if (!end.ok()) return absl::StrCat("pool host ", pid, " could not be reaped: ", end.status().message());
  if (end->signal != 0) return absl::StrCat("pool host ", pid, " was killed by signal ", end->signal);
  return absl::StrCat("pool host ", pid, " exited with code ", end->exit_code);
}

}  // namespace

class PoolHost::Impl {
 public:
  Impl(HostProcess* process, control::Channel channel, PoolHostListener* listener)
      : process_(process),
        channel_(std::move(channel)),
        listener_(listener),
        wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  ~Impl() {
    Abandon();
    if (reader_.joinable()) reader_.join();
  }

  // Called once, first.
  absl::Status StartReading() {
    ASSIGN_OR_RETURN(reader_, MakeThread("the pool host's words", [this] { Read(); }));
    return absl::OkStatus();
  }

  void Send(control::Request request, const std::vector<int>& descriptors, Deadline deadline, Done done) {
    Done at_once = done;
    const absl::StatusOr<uint64_t> number = pending_.Add(deadline, std::move(done));
    if (!number.ok()) return at_once(number.status());
    Wake();  // the reader waits for its deadline too
    request.set_number(*number);
    const absl::Status sent = SendLocked(request, descriptors, std::min(deadline.Remaining(), kSendBound));
    if (!sent.ok()) pending_.Finish(*number, sent);
  }

  absl::Status Post(const control::Request& request) { return SendLocked(request, {}, kSendBound); }

  // True when the host has ended and the listener knows.
  bool WaitEnded(Deadline deadline) {
    MutexLock lock(&mutex_);
    while (!ended_) {
      if (!ended_changed_.WaitUntil(&mutex_, deadline.when()) && !ended_) return false;
    }
    return true;
  }

  // From now on its end is no error.
  void ExpectEnd() {
    MutexLock lock(&mutex_);
    expected_ = true;
  }

 private:
  absl::Status SendLocked(const control::Request& request, const std::vector<int>& descriptors,
                          absl::Duration timeout) {
    absl::Status sent;
    {
      MutexLock lock(&send_mutex_);
      if (!send_error_.ok()) return send_error_;
      sent = channel_.Send(request, descriptors, timeout);
      send_error_ = sent;  // half a message may have gone out
    }
    if (absl::IsDeadlineExceeded(sent)) {
      LogWarning(absl::StrCat("pool host ", process_->pid(), " does not read its channel; it is killed"));
      [[maybe_unused]] const absl::Status killed = process_->Kill();
    }
    return sent;
  }

  void Wake() {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t done = write(wake_.get(), &one, sizeof(one));
  }

  // Ends the reader whatever becomes of the host.
  void Abandon() {
    {
      MutexLock lock(&mutex_);
      abandoned_ = true;
    }
    Wake();
  }

  bool Abandoned() {
    MutexLock lock(&mutex_);
    return abandoned_;
  }

  bool Expected() {
    MutexLock lock(&mutex_);
    return expected_;
  }

  void Read() {
    bool open = true;
    while (!Abandoned()) {
      pollfd waiting[] = {{wake_.get(), POLLIN, 0}, {process_->death_fd(), POLLIN, 0}, {channel_.fd(), POLLIN, 0}};
      poll(waiting, open ? 3 : 2, pending_.PollTimeoutMs());
      uint64_t wakes;
      while (read(wake_.get(), &wakes, sizeof(wakes)) > 0) {
      }
      if (open && waiting[2].revents != 0) open = ReceiveAll();
      if (waiting[1].revents != 0) return ReportEnd(open);
      pending_.Expire();
    }
    pending_.Close(absl::UnavailableError("the pool has been given up"));
  }

  // Takes all that has come, which may be more than one message for one wake-up. False: the channel is at its end, and
  // a host without one is of no use, unless it is just exiting because we asked.
  bool ReceiveAll() {
    while (true) {
      const absl::StatusOr<control::Frame> frame = channel_.Receive(absl::ZeroDuration());
      if (absl::IsDeadlineExceeded(frame.status())) return true;  // half a message stays in the channel
      control::Event event;
      if (!frame.ok() || !event.ParseFromString(frame->bytes)) break;
      Dispatch(std::move(event));
    }
    if (!Expected()) [[maybe_unused]]
      const absl::Status killed = process_->Kill();
    return false;
  }

  void Dispatch(control::Event event) {
    if (event.has_worker_died()) listener_->OnWorkerDied(event.worker_died().worker());
    if (!event.has_reply()) return;
    const uint64_t number = event.reply().number();
    pending_.Finish(number, std::move(*event.mutable_reply()));
  }

  void ReportEnd(bool open) {
    // What it said before it died still counts.
    if (open) ReceiveAll();
    const absl::StatusOr<ProcessEnd> end = process_->Reap(Deadline::After(kKillBound));
    const std::string how = Describe(process_->pid(), end);
    const bool well = Expected() && end.ok() && end->ok();
    pending_.Close(absl::UnavailableError(how));
    listener_->OnHostEnded(well ? "" : how);
    MutexLock lock(&mutex_);
    ended_ = true;
    ended_changed_.NotifyAll();
  }

  HostProcess* const process_;
  Mutex send_mutex_;
  control::Channel channel_;  // the reader receives, the holder of send_mutex_ sends
  absl::Status send_error_ ABSL_GUARDED_BY(send_mutex_);
  PoolHostListener* const listener_;
  const UniqueFd wake_;
  PendingRequests pending_;
  Mutex mutex_;
  CondVar ended_changed_;
  bool expected_ ABSL_GUARDED_BY(mutex_) = false;
  bool abandoned_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread reader_;
};

absl::StatusOr<std::unique_ptr<PoolHost>> PoolHost::Make(LaunchedHost host, PoolHostListener* listener) {
  auto impl = std::make_unique<Impl>(host.process.get(), std::move(host.channel), listener);
  RETURN_IF_ERROR(impl->StartReading());
  return std::unique_ptr<PoolHost>(new PoolHost(std::move(host.process), std::move(impl)));
}

PoolHost::PoolHost(std::unique_ptr<HostProcess> process, std::unique_ptr<Impl> impl)
    : process_(std::move(process)), impl_(std::move(impl)) {}

PoolHost::~PoolHost() {
  const absl::Status ended = End(Deadline::After(absl::Seconds(1)));
  if (!ended.ok()) LogWarning(ended.message());
}

void PoolHost::Send(control::Request request, const std::vector<int>& descriptors, Deadline deadline, Done done) {
  impl_->Send(std::move(request), descriptors, deadline, std::move(done));
}

absl::Status PoolHost::Post(control::Request request) { return impl_->Post(request); }

void PoolHost::Kill() {
  impl_->ExpectEnd();
  [[maybe_unused]] const absl::Status killed = process_->Kill();
}

absl::StatusOr<control::Reply> PoolHost::Call(control::Request request, const std::vector<int>& descriptors,
                                              Deadline deadline) {
  // Shared with the callback, which may come after the wait has ended.
  struct Waiting {
    Mutex mutex;
    CondVar changed;
    std::optional<absl::StatusOr<control::Reply>> result ABSL_GUARDED_BY(mutex);
  };
  const auto waiting = std::make_shared<Waiting>();
  Send(std::move(request), descriptors, deadline, [waiting](absl::StatusOr<control::Reply> result) {
    MutexLock lock(&waiting->mutex);
    waiting->result = std::move(result);
    waiting->changed.NotifyAll();
  });
  MutexLock lock(&waiting->mutex);
  while (!waiting->result.has_value()) {
    if (waiting->changed.WaitUntil(&waiting->mutex, deadline.when()) || waiting->result.has_value()) continue;
    return absl::DeadlineExceededError("the pool host has not answered in time");
  }
  if (!waiting->result->ok()) return waiting->result->status();
  RETURN_IF_ERROR(StatusOfReply(**waiting->result));
  return **std::move(waiting->result);
}

absl::Status PoolHost::End(Deadline deadline) {
  if (impl_->WaitEnded(Deadline::After(absl::ZeroDuration()))) return absl::OkStatus();
  impl_->ExpectEnd();
  control::Request request;
  request.mutable_kill()->set_reap_budget_ns(static_cast<uint64_t>(absl::ToInt64Nanoseconds(deadline.Remaining())));
  Send(std::move(request), {}, deadline, [](const absl::StatusOr<control::Reply>&) {});
  if (impl_->WaitEnded(deadline)) return absl::OkStatus();
  [[maybe_unused]] const absl::Status killed = process_->Kill();
  if (impl_->WaitEnded(Deadline::After(kKillBound))) return absl::OkStatus();
  return absl::DeadlineExceededError(absl::StrCat("pool host ", process_->pid(), " has not ended ",
                                                  absl::FormatDuration(kKillBound), " after SIGKILL"));
}

absl::Status StatusOfReply(const control::Reply& reply) {
  const auto code = static_cast<absl::StatusCode>(reply.code());
  if (code == absl::StatusCode::kOk) return absl::OkStatus();
  if (code != absl::StatusCode::kInvalidArgument || reply.field().empty()) return absl::Status(code, reply.message());
  return FieldError(reply.field(), absl::StripPrefix(reply.message(), absl::StrCat(reply.field(), ": ")));
}

}  // namespace muster
