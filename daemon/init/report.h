// What init says on the console, where the host reads it.
#ifndef MUSTER_DAEMON_INIT_REPORT_H_
#define MUSTER_DAEMON_INIT_REPORT_H_

#include <string>

namespace muster::init {

// "muster-init: <what>: ENOENT". Init goes on: what is missing shows again where it is needed, with words.
void Warn(const std::string& what);

// "muster-init: <stage> uptime_ms=<ms since the kernel started>"; tools/vm/run/console_log.h reads it.
void Stage(const std::string& stage);

}  // namespace muster::init

#endif  // MUSTER_DAEMON_INIT_REPORT_H_
