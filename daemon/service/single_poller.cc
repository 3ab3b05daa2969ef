#include "daemon/service/single_poller.h"

#include <grpc/support/cpu.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/make_thread.h"
#include "base/mutex.h"

namespace muster {
namespace {

// gRPC's poller sleeps after a second without an event.
constexpr absl::Duration kPulse = absl::Milliseconds(500);

// Whether an object of this process has parked its threads, which gRPC has once per process.
std::atomic<bool> is_taken{false};

// As many as gRPC 1.51 makes for the callback API, without the one that goes on.
int NumSurplusThreads() { return static_cast<int>(std::clamp(gpr_cpu_num_cores() / 2, 2u, 16u)) - 1; }

// A call to the server's health service, which does nothing; what matters is which thread brings its answer.
struct EmptyCall {
  explicit EmptyCall(const std::shared_ptr<grpc::Channel>& channel) : stub(channel) {}

  grpc::GenericStub stub;
  grpc::ClientContext context;
  grpc::ByteBuffer request;
  grpc::ByteBuffer answer;
};

}  // namespace

// Shared with calls under way, which may outlive the object when gRPC is late.
class SinglePoller::Threads : public std::enable_shared_from_this<Threads> {
 public:
  // Has one of gRPC's threads run `act`.
  void Summon(const std::shared_ptr<grpc::Channel>& channel, void (Threads::*act)()) {
    auto call = std::make_shared<EmptyCall>(channel);
    const grpc::Slice nothing{std::string()};
    call->request = grpc::ByteBuffer(&nothing, 1);
    {
      MutexLock lock(&mutex_);
      ++calls_;
    }
    // Gives the channel up before it tells: the last one to do so waits for all of gRPC's threads, and must be none of
    // them.
    auto on_answer = [self = shared_from_this(), call, act](const grpc::Status&) mutable {
      call.reset();
      (self.get()->*act)();
    };
    call->stub.UnaryCall(&call->context, "/grpc.health.v1.Health/Check", grpc::StubOptions(), &call->request,
                         &call->answer, std::move(on_answer));
  }

  // Waits here until the release.
  void Stay() {
    MutexLock lock(&mutex_);
    ++parked_;
    EndCall();
    while (!released_) changed_.WaitUntil(&mutex_, SteadyDeadline(absl::InfiniteDuration()));
    --parked_;
    changed_.NotifyAll();
  }

  void PassBy() {
    MutexLock lock(&mutex_);
    EndCall();
  }

  // False when some call has not come to its thread by `deadline`.
  bool AwaitCalls(const Deadline& deadline) {
    MutexLock lock(&mutex_);
    while (calls_ > 0) {
      if (!changed_.WaitUntil(&mutex_, deadline.when()) && deadline.Expired()) return false;
    }
    return true;
  }

  // False at once after the release.
  bool Pause(const Deadline& until) {
    MutexLock lock(&mutex_);
    while (!released_ && !until.Expired()) changed_.WaitUntil(&mutex_, until.when());
    return !released_;
  }

  // Waits until the threads are on their way.
  void Release(const Deadline& deadline) {
    MutexLock lock(&mutex_);
    released_ = true;
    changed_.NotifyAll();
    while (parked_ > 0 || calls_ > 0) {
      if (!changed_.WaitUntil(&mutex_, deadline.when()) && deadline.Expired()) return;
    }
  }

  int parked() {
    MutexLock lock(&mutex_);
    return parked_;
  }

 private:
  void EndCall() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    --calls_;
    changed_.NotifyAll();
  }

  Mutex mutex_;
  CondVar changed_;
  // Under way to a thread.
  int calls_ ABSL_GUARDED_BY(mutex_) = 0;
  int parked_ ABSL_GUARDED_BY(mutex_) = 0;
  bool released_ ABSL_GUARDED_BY(mutex_) = false;
};

SinglePoller::SinglePoller(grpc::Server* server)
    : channel_(server->InProcessChannel(grpc::ChannelArguments())), threads_(std::make_shared<Threads>()) {
  is_first_ = !is_taken.exchange(true, std::memory_order_relaxed);
  if (!is_first_) return;
  if (!Park()) {
    LogWarning("gRPC's threads are not as expected; calls take a little longer");
    Release();
    return;
  }
  absl::StatusOr<std::thread> keeper = MakeThread("the poller's pulse", [this] { KeepAwake(); });
  if (!keeper.ok()) {
    LogWarning(absl::StrCat(keeper.status().message(), "; calls take a little longer"));
    Release();
    return;
  }
  keeper_ = *std::move(keeper);
  pthread_setname_np(keeper_.native_handle(), "poller pulse");
}

SinglePoller::~SinglePoller() {
  if (is_first_) Release();
  if (!keeper_.joinable()) return;
  keeper_.join();
  // It may have called once more.
  threads_->AwaitCalls(Deadline::After(kPatience));
}

int SinglePoller::parked() const { return threads_->parked(); }

bool SinglePoller::Park() {
  const Deadline deadline = Deadline::After(kPatience);
  for (int i = 0; i < NumSurplusThreads(); ++i) {
    threads_->Summon(channel_, &Threads::Stay);
    if (!threads_->AwaitCalls(deadline)) return false;
  }
  // One must be left.
  threads_->Summon(channel_, &Threads::PassBy);
  return threads_->AwaitCalls(deadline);
}

void SinglePoller::KeepAwake() {
  while (threads_->Pause(Deadline::After(kPulse))) {
    // When the call before has not come yet, the poller has plenty to do.
    if (threads_->AwaitCalls(Deadline::After(absl::ZeroDuration()))) threads_->Summon(channel_, &Threads::PassBy);
  }
}

void SinglePoller::Release() {
  threads_->Release(Deadline::After(kPatience));
  is_taken.store(false, std::memory_order_relaxed);
  is_first_ = false;
}

}  // namespace muster
