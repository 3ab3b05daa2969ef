#include "tools/vm/init/options.h"

#include <stdlib.h>

namespace muster::guest {
namespace {

// The text after `prefix`, or null.
const char* After(const std::string& text, const std::string& prefix) {
  return text.compare(0, prefix.size(), prefix) == 0 ? text.c_str() + prefix.size() : nullptr;
}

}  // namespace

Options ParseOptions(const std::vector<std::string>& arguments) {
  Options options;
  for (const std::string& argument : arguments) {
    if (const char* port = After(argument, "--relay=")) {
      options.relay_port = static_cast<uint16_t>(strtoul(port, nullptr, 10));
    } else if (const char* daemon = After(argument, "--daemon=")) {
      options.daemon_arguments.push_back(daemon);
    } else {
      options.unknown.push_back(argument);
    }
  }
  return options;
}

}  // namespace muster::guest
