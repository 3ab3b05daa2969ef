// Programs under test: started, and run to their end with what they print.
#ifndef MUSTER_TESTS_SUPPORT_PROGRAM_RUN_H_
#define MUSTER_TESTS_SUPPORT_PROGRAM_RUN_H_

#include <string>
#include <vector>

#include "base/spawn_process.h"
#include "base/unique_fd.h"

namespace muster {

struct ProgramResult {
  // -1: a signal ended it, or it did not end within a minute and was killed.
  int exit_code = -1;
  std::string standard_output;
  std::string standard_error;
};

// A program whose output goes to unnamed files.
struct StartedProgram {
  SpawnedProcess process;
  UniqueFd standard_output;
  UniqueFd standard_error;
};

// `program` is a path relative to the test's runfiles; `environment` ("NAME=value") is added to the test's own. Aborts
// the test when it cannot be started.
StartedProgram StartProgram(const std::string& program, std::vector<std::string> args,
                            std::vector<std::string> environment = {});

// What it has printed so far to one of the files.
std::string ReadOutput(const UniqueFd& file);

// Waits for its end.
ProgramResult FinishProgram(StartedProgram program);

ProgramResult RunProgram(const std::string& program, std::vector<std::string> args,
                         std::vector<std::string> environment = {});

}  // namespace muster

#endif  // MUSTER_TESTS_SUPPORT_PROGRAM_RUN_H_
