#include "tools/cli/cli.h"

#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace muster {
namespace {

const FlagSpec kHelpFlag = {"help", "", "print this"};

// Words of the command's name when `args` begins with them, else 0.
size_t Matches(const Command& command, const std::vector<std::string>& args) {
  const std::vector<std::string> words = absl::StrSplit(command.name, ' ');
  if (args.size() < words.size() || !std::equal(words.begin(), words.end(), args.begin())) return 0;
  return words.size();
}

std::string Synopsis(const Command& command) {
  return absl::StrCat("muster ", command.name, command.arguments.empty() ? "" : " ",
                      absl::StrJoin(command.arguments, " "));
}

std::string CommandHelp(const Command& command) {
  std::vector<FlagSpec> flags = command.flags;
  flags.push_back(kHelpFlag);
  return absl::StrCat("usage: ", Synopsis(command), " [flags]\n\n", command.summary, "\n\n", DescribeFlags(flags),
                      "\nexit codes:\n", DescribeExitCodes());
}

std::string Help(const std::vector<Command>& commands) {
  std::string text = "usage: muster COMMAND [arguments] [flags]; muster COMMAND --help tells more\n\n";
  for (const Command& command : commands) {
    absl::StrAppendFormat(&text, "  %-28s %s\n", Synopsis(command), command.summary);
  }
  return absl::StrCat(text, "\nexit codes:\n", DescribeExitCodes());
}

int RunCommandWith(const Command& command, const std::vector<std::string>& args) {
  std::vector<FlagSpec> specs = command.flags;
  specs.push_back(kHelpFlag);
  const absl::StatusOr<Flags> flags = Flags::Parse(args, specs);
  const std::string advice = absl::StrCat("; see muster ", command.name, " --help");
  if (!flags.ok()) return Fail(absl::InvalidArgumentError(absl::StrCat(flags.status().message(), advice)), kExitUsage);
  if (flags->Has("help")) {
    std::cout << CommandHelp(command);
    return kExitGood;
  }
  if (flags->positional().size() != command.arguments.size()) {
    return Fail(absl::InvalidArgumentError(absl::StrCat("it is ", Synopsis(command), " [flags], and ",
                                                        flags->positional().size(), " arguments were given", advice)),
                kExitUsage);
  }
  return command.run(*flags);
}

}  // namespace

int RunCli(const std::vector<Command>& commands, const std::vector<std::string>& args) {
  if (!args.empty() && (args[0] == "--help" || args[0] == "-h" || args[0] == "help")) {
    std::cout << Help(commands);
    return kExitGood;
  }
  for (const Command& command : commands) {
    const size_t words = Matches(command, args);
    if (words != 0) return RunCommandWith(command, {args.begin() + words, args.end()});
  }
  if (!args.empty()) std::cerr << "muster: there is no command \"" << args[0] << "\"\n";
  std::cerr << Help(commands);
  return kExitUsage;
}

}  // namespace muster
