#include "daemon/init/pid_one.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>

#include "daemon/init/machine.h"
#include "daemon/init/report.h"
#include "daemon/init/supervisor.h"

namespace muster::init {
namespace {

constexpr char kSelf[] = "/proc/self/exe";

// By its name, so that the daemon's process has that name too; where its file has gone, as after a change of root,
// through the kernel.
std::string OwnProgram() {
  char path[PATH_MAX];
  const ssize_t size = readlink(kSelf, path, sizeof(path));
  const std::string name(path, size > 0 ? size : 0);
  return access(name.c_str(), X_OK) == 0 ? name : kSelf;
}

}  // namespace

std::vector<std::string> WithoutStrayWords(std::vector<std::string> arguments) {
  if (arguments.empty()) return arguments;
  const auto first = arguments.begin() + 1;
  const auto is_flag = [](const std::string& argument) { return argument.compare(0, 1, "-") == 0; };
  arguments.erase(first, std::find_if(first, arguments.end(), is_flag));
  return arguments;
}

int RunAsPidOne(const std::vector<std::string>& arguments) {
  const bool machine = TakeMachine();
  if (machine) MakeMachine();
  SupervisorOptions options;
  options.program = OwnProgram();
  options.arguments = machine ? WithoutStrayWords(arguments) : arguments;
  options.console = machine ? STDIN_FILENO : -1;
  const int code = Supervise(options);
  if (machine) PowerOff();
  return code;
}

}  // namespace muster::init
