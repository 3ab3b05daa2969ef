// What a guest has said on its console.
#ifndef MUSTER_TOOLS_VM_RUN_CONSOLE_LOG_H_
#define MUSTER_TOOLS_VM_RUN_CONSOLE_LOG_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tools/vm/run/scheduler_log.h"

namespace muster::vm {

// How far the guest has come, by its own words. Times are since the guest's kernel started.
struct BootProgress {
  std::optional<absl::Duration> up;
  std::optional<absl::Duration> machine_ready;
  std::optional<absl::Duration> daemon_started;
  std::optional<absl::Duration> daemon_ready;
  // As "exit=1" or "signal=9": musterd has ended.
  std::optional<std::string> daemon_ended;
  // The kernel's word about its panic.
  std::optional<std::string> panic;
  SchedulerLog scheduler;
};

// Takes one line into account. Any bytes are safe.
void Observe(absl::string_view line, BootProgress* progress);

// Follows the file that the console is written to. Thread-compatible.
class ConsoleLog {
 public:
  explicit ConsoleLog(std::string path) : path_(std::move(path)) {}

  // Reads what is new; true when there was something.
  bool Update();

  const BootProgress& progress() const { return progress_; }
  bool empty() const { return read_bytes_ == 0; }
  // The last `lines` whole lines, and what has been written of the next.
  std::string Tail(size_t lines) const;

 private:
  const std::string path_;
  size_t read_bytes_ = 0;
  // Without its newline yet.
  std::string partial_;
  std::vector<std::string> lines_;
  BootProgress progress_;
};

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_RUN_CONSOLE_LOG_H_
