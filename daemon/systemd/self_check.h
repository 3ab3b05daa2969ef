// Finding out whether the daemon still serves.
#ifndef MUSTER_DAEMON_SYSTEMD_SELF_CHECK_H_
#define MUSTER_DAEMON_SYSTEMD_SELF_CHECK_H_

#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/deadline.h"
#include "base/event.h"

namespace muster {

// Probes the daemon again and again, on a thread of its own, and tells somebody each time that it went well; a probe
// that fails is logged and passed over in silence, so that a watchdog bites when they keep failing. The destructor
// waits for the probe under way.
class SelfCheck {
 public:
  struct Parts {
    // Between two probes, and what each one has.
    absl::Duration period;
    // OK: the daemon has answered as it does to clients.
    std::function<absl::Status(Deadline)> probe;
    std::function<void()> went_well;
  };

  // RESOURCE_EXHAUSTED: there is no room for a thread.
  static absl::StatusOr<std::unique_ptr<SelfCheck>> Start(Parts parts);
  ~SelfCheck();
  SelfCheck(const SelfCheck&) = delete;
  SelfCheck& operator=(const SelfCheck&) = delete;

 private:
  explicit SelfCheck(Parts parts) : parts_(std::move(parts)) {}

  void Run();

  const Parts parts_;
  Event ending_;
  std::thread thread_;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_SYSTEMD_SELF_CHECK_H_
