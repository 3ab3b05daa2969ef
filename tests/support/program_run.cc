#include "tests/support/program_run.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <iostream>
#include <utility>

#include "absl/time/time.h"

namespace muster {
namespace {

constexpr absl::Duration kPatience = absl::Minutes(1);

}  // namespace

std::string ReadOutput(const UniqueFd& file) {
  std::string text;
  char buffer[4096];
  ssize_t got = 0;
  off_t offset = 0;
  while ((got = pread(file.get(), buffer, sizeof(buffer), offset)) > 0) {
    text.append(buffer, got);
    offset += got;
  }
  return text;
}

StartedProgram StartProgram(const std::string& program, std::vector<std::string> args,
                            std::vector<std::string> environment) {
  StartedProgram started;
  started.standard_output = UniqueFd(memfd_create("stdout", MFD_CLOEXEC));
  started.standard_error = UniqueFd(memfd_create("stderr", MFD_CLOEXEC));
  SpawnOptions options;
  options.program = program;
  options.arguments = std::move(args);
  options.arguments.insert(options.arguments.begin(), program);
  // Of two values of one name the first counts.
  options.environment = std::move(environment);
  for (char** variable = environ; *variable != nullptr; ++variable) options.environment.push_back(*variable);
  options.descriptors = {{STDOUT_FILENO, started.standard_output.get()}, {STDERR_FILENO, started.standard_error.get()}};
  absl::StatusOr<SpawnedProcess> process = SpawnProcess(options);
  if (!process.ok()) {
    std::cerr << process.status() << std::endl;
    abort();
  }
  started.process = *std::move(process);
  return started;
}

ProgramResult FinishProgram(StartedProgram program) {
  absl::StatusOr<ProcessEnd> end = program.process.pidfd.Reap(Deadline::After(kPatience));
  if (!end.ok()) {
    static_cast<void>(program.process.pidfd.Signal(SIGKILL));
    end = program.process.pidfd.Reap(Deadline::After(kPatience));
  }
  return {end.ok() ? end->exit_code : -1, ReadOutput(program.standard_output), ReadOutput(program.standard_error)};
}

ProgramResult RunProgram(const std::string& program, std::vector<std::string> args,
                         std::vector<std::string> environment) {
  return FinishProgram(StartProgram(program, std::move(args), std::move(environment)));
}

}  // namespace muster
