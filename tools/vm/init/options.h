// What the kernel's command line tells init after "--".
#ifndef MUSTER_TOOLS_VM_INIT_OPTIONS_H_
#define MUSTER_TOOLS_VM_INIT_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace muster::guest {

struct Options {
  // --relay=PORT: carry this port of the guest's address to musterd's unix socket; 0: no relay.
  uint16_t relay_port = 0;
  // --daemon=ARG, any number of times: musterd's arguments.
  std::vector<std::string> daemon_arguments;
  // Anything else, for a warning.
  std::vector<std::string> unknown;
};

Options ParseOptions(const std::vector<std::string>& arguments);

}  // namespace muster::guest

#endif  // MUSTER_TOOLS_VM_INIT_OPTIONS_H_
