// muster: runs workloads on a daemon, its own or another's, and judges them. `muster --help` tells more.
#include <signal.h>

#include <string>
#include <vector>

#include "base/standard_descriptors.h"
#include "tools/cli/cgroup_command.h"
#include "tools/cli/cli.h"
#include "tools/cli/command.h"
#include "tools/cli/info_command.h"
#include "tools/cli/pool_commands.h"
#include "tools/cli/run_command.h"
#include "tools/cli/stop_command.h"
#include "tools/vm/vm_main.h"

namespace {

int Main(const std::vector<std::string>& args) {
  // Reads its own flags; the table below names it for the help.
  if (!args.empty() && args[0] == "vm") return muster::vm::VmMain({args.begin() + 1, args.end()});
  const muster::Command vm = {"vm", {"SUBCOMMAND"}, "boot guests and run workloads in them", {}, nullptr};
  return muster::RunCli({muster::RunCommand(), muster::InfoCommand(), muster::TypesCommand(), muster::PsCommand(),
                         muster::SnapshotCommand(), muster::WatchCommand(), muster::StopCommand(),
                         muster::DropCommand(), muster::CgroupCreateCommand(), muster::CgroupRemoveCommand(), vm},
                        args);
}

}  // namespace

int main(int argc, char** argv) {
  muster::FillStandardDescriptors();
  // A closed pipe on the standard output is an error to report, not a death without a word.
  signal(SIGPIPE, SIG_IGN);
  const int code = Main({argv + 1, argv + argc});
  if (code != muster::kExitGood) return code;
  // Of whoever has printed and not looked.
  const absl::Status printed = muster::Print("");
  return printed.ok() ? code : muster::Fail(printed);
}
