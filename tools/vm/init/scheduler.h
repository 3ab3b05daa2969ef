// The sched_ext scheduler that the image brings.
#ifndef MUSTER_TOOLS_VM_INIT_SCHEDULER_H_
#define MUSTER_TOOLS_VM_INIT_SCHEDULER_H_

#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "daemon/init/supervisor.h"

namespace muster::guest {

// Hands the image's scheduler, when it has one, to the kernel, and tells the host through the console what becomes of
// it (tools/vm/run/scheduler_log.h reads that). It stays with the kernel after this object's end. Thread-compatible.
class Scheduler : public init::Companion {
 public:
  // Loads it. False: that failed, and the console has the reason.
  bool Load();

  // Readable when the kernel has logged something. -1: there is no scheduler, or no log any more.
  int fd() const override { return log_.get(); }
  // Says what the kernel has logged about its scheduler since the last call, and with it how things stand.
  void OnReadable() override;
  // "scheduler": says how things stand now, and before that what the kernel has logged about it.
  void OnRequest(const std::string& request) override;

 private:
  void Sample();
  // True when there was something.
  bool SayLog();

  UniqueFd log_;
};

// The text of a record of /dev/kmsg, "6,339,5140900,-;text\n DEVICE=...", without what follows it; empty when it does
// not speak of sched_ext. Exposed for its test.
std::string SchedulerLine(const std::string& record);

// The last lines of a program's output, at most `count`; empty ones are left out. Exposed for its test.
std::vector<std::string> LastLines(const std::string& output, size_t count);

}  // namespace muster::guest

#endif  // MUSTER_TOOLS_VM_INIT_SCHEDULER_H_
