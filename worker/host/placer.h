// Moving workers into a cgroup, or pinning them to CPUs.
#ifndef MUSTER_WORKER_HOST_PLACER_H_
#define MUSTER_WORKER_HOST_PLACER_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/unique_fd.h"
#include "muster/control/control.pb.h"
#include "worker/host/events.h"
#include "worker/host/live_pool.h"

namespace muster::host {

// Carries out one Place. What a pin sets stays set when the worker's setup runs again.
class Placer {
 public:
  Placer(LivePool* live, Events* events) : live_(*live), events_(*events) {}

  // Fills in one result per named worker, in their order. An error means that nothing was tried; what failed for single
  // workers stands in their results.
  absl::Status Place(const control::Place& request, const std::vector<UniqueFd>& descriptors, control::Reply* reply);

 private:
  struct Candidate {
    uint32_t worker = 0;
    pid_t pid = 0;  // of its process
    pid_t tid = 0;
    int32_t cpu = 0;  // where it was last, by its own word
    std::string error;
    std::string cgroup;
    bool asked = false;
  };

  absl::Status TakeCandidates(const control::Place& request);
  // any_ended: of all tasks.
  bool IsAlive(const Candidate& candidate, bool any_ended);
  absl::Status TakePins(const control::Place& request);
  absl::Status Move(const control::Place& request, int directory);
  // The process that all of them share, or each.
  void WriteOne(int file, const std::string& path);
  void WriteEach(int file, const std::string& path);
  void Write(int file, const std::string& path, Candidate* candidate) const;
  void ReadMembership(const char* list, int directory);
  void SetUpAgain();
  uint32_t CountUnanswered();
  // Gives the worker the CPUs that were asked for it, by Place or by its spec.
  absl::Status Pin(const Candidate& candidate) const;
  void ApplyPins();
  void Report(control::Reply* reply) const;

  LivePool& live_;
  Events& events_;
  std::vector<Candidate> candidates_;
};

}  // namespace muster::host

#endif  // MUSTER_WORKER_HOST_PLACER_H_
