// A pool host that is a thread of the test: it speaks the control protocol, and writes the arena as its workers would.
#ifndef MUSTER_DAEMON_POOL_TESTING_FAKE_POOL_HOST_H_
#define MUSTER_DAEMON_POOL_TESTING_FAKE_POOL_HOST_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "base/mutex.h"
#include "daemon/poolhost/fake_host_process.h"
#include "daemon/poolhost/host_launcher.h"
#include "muster/control/control.pb.h"
#include "worker/arena/arena.h"
#include "worker/meter/meter.h"

namespace muster {

using RequestKind = control::Request::KindCase;

// How a fake pool host meets its plan; given before the launch.
struct FakeHostManners {
  // Refuses the plan with this; the field goes with it.
  absl::Status plan_error;
  std::string plan_field;
  // Workers do an iteration as soon as they are released.
  bool works_at_release = true;
  // First process number of the workers. In a pool of one process all have it.
  pid_t first_pid = 10'000;
  // Worker 0 is a program with this telemetry descriptor; -1: it is none.
  int telemetry_fd = -1;
  // Called before musterd gets a copy of it.
  std::function<void()> on_copy;
};

// Ends as a process when told to, and its thread with it. Thread-safe: the test may change the arena while requests are
// served.
class FakePoolHost {
 public:
  FakePoolHost(control::Channel channel, std::shared_ptr<FakeProcess> process, FakeHostManners manners);
  ~FakePoolHost();

  // From now on requests of this kind wait, received but not served, until Let.
  void Hold(RequestKind kind);
  void Let(RequestKind kind);
  // Waits until so many of them have come.
  void AwaitRequests(RequestKind kind, int count = 1);
  int CountRequests(RequestKind kind);
  control::Request LastRequest(RequestKind kind);

  // A worker's doings.
  void Iterate(uint32_t worker, int iterations = 1);
  void Sample(uint32_t worker, uint64_t wake_ns);
  // It ends now, before it was asked to; musterd is told.
  void EndWorker(uint32_t worker, arena::Exit exit, int32_t value);
  // At the stop it will have ended like this, without a record.
  void LoseAtStop(uint32_t worker, arena::Exit exit, int32_t value);
  // At the stop it finishes, then bytes of its record are overwritten.
  void SpoilAtStop(uint32_t worker);
  // With the arena, once the plan has come.
  void InArena(const std::function<void(arena::Arena&)>& act);

  // The process ends, as seen by its parent; its workers' ends stay unknown.
  void Die(ProcessEnd end);
  FakeProcess& process() { return *process_; }

 private:
  void Run();
  void Receive();
  // The next that may be served; false: the process has ended.
  bool Next(control::Request* request);
  control::Reply Serve(const control::Request& request);
  void ServePlan(const control::Plan& plan, control::Reply* reply) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ServeReleased() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ServeStop() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FinishWorker(uint32_t worker) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void StartWorker(uint32_t worker) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SetExit(uint32_t worker, arena::Exit exit, int32_t value) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SendEvent(const control::Event& event);

  struct Loss {
    arena::Exit exit;
    int32_t value;
  };

  const FakeHostManners manners_;
  const std::shared_ptr<FakeProcess> process_;
  control::Channel channel_;
  Mutex send_mutex_;
  Mutex mutex_;
  CondVar changed_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<control::Request> queue_ ABSL_GUARDED_BY(mutex_);
  std::vector<control::Request> seen_ ABSL_GUARDED_BY(mutex_);
  std::vector<RequestKind> held_ ABSL_GUARDED_BY(mutex_);
  std::vector<UniqueFd> plan_descriptors_ ABSL_GUARDED_BY(mutex_);
  arena::Arena arena_ ABSL_GUARDED_BY(mutex_);
  uint32_t num_workers_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::unique_ptr<Meter>> meters_ ABSL_GUARDED_BY(mutex_);
  std::map<uint32_t, Loss> losses_ ABSL_GUARDED_BY(mutex_);
  std::vector<uint32_t> spoiled_ ABSL_GUARDED_BY(mutex_);
  std::thread receiver_;
  std::thread server_;
};

// Launches fake pool hosts and keeps them for the test.
class FakeLauncher : public HostLauncher {
 public:
  absl::StatusOr<LaunchedHost> Launch() override;

  // For the next launches.
  void SetManners(FakeHostManners manners);
  void FailNext(absl::Status error);
  // Requests of this kind are held from the launch on.
  void HoldFromLaunch(RequestKind kind);

  // The n-th launched; waits for it.
  FakePoolHost& host(size_t n = 0);
  size_t launched();

 private:
  Mutex mutex_;
  CondVar changed_;
  FakeHostManners manners_ ABSL_GUARDED_BY(mutex_);
  absl::Status error_ ABSL_GUARDED_BY(mutex_);
  std::vector<RequestKind> held_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<FakePoolHost>> hosts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace muster

#endif  // MUSTER_DAEMON_POOL_TESTING_FAKE_POOL_HOST_H_
