// For tests: a process that is pid 1, of a namespace.
#ifndef MUSTER_DAEMON_INIT_NAMESPACED_H_
#define MUSTER_DAEMON_INIT_NAMESPACED_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "base/pidfd.h"
#include "base/unique_fd.h"

namespace muster::init {

// Runs `body`, and exits with what it returns, as pid 1 of a PID and a mount namespace with a /proc of its own. What it
// mounts nobody else sees. The destructor ends everything in the namespace. Needs root, and a caller with one thread.
class Namespaced {
 public:
  explicit Namespaced(const std::function<int()>& body);
  ~Namespaced();
  Namespaced(const Namespaced&) = delete;
  Namespaced& operator=(const Namespaced&) = delete;

  // Reads its output, both streams, until that contains these words; false when it ends without, or after half a
  // minute.
  bool WaitFor(const std::string& words);
  void Signal(int number) const;
  // Its end, within half a minute; all that it wrote is in output() then.
  absl::StatusOr<ProcessEnd> Finish();

  const std::string& output() const { return output_; }

 private:
  // False at its end.
  bool ReadMore(Deadline deadline);

  bool reaped_ = false;
  Pidfd process_;
  UniqueFd stream_;
  std::string output_;
};

}  // namespace muster::init

#endif  // MUSTER_DAEMON_INIT_NAMESPACED_H_
