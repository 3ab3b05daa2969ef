#include "worker/core/exec_program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/errno_status.h"

namespace muster {
namespace {

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// execve(2) resets handlers, but keeps what is ignored and what is blocked.
void ResetSignals() {
  struct sigaction standard = {};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) sigaction(number, &standard, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

void CloseAllBut(int kept_fd) {
  constexpr unsigned kFirst = STDERR_FILENO + 1;
  if (kept_fd < static_cast<int>(kFirst)) {
    close_range(kFirst, ~0u, 0);
    return;
  }
  const unsigned kept = static_cast<unsigned>(kept_fd);
  if (kept > kFirst) close_range(kFirst, kept - 1, 0);
  close_range(kept + 1, ~0u, 0);
  fcntl(kept_fd, F_SETFD, 0);
}

}  // namespace

absl::Status ExecProgram(const v1::Custom::Program& program, int telemetry_fd) {
  std::vector<std::string> arguments = {program.path()};
  arguments.insert(arguments.end(), program.args().begin(), program.args().end());
  std::vector<std::string> environment(program.env().begin(), program.env().end());
  if (telemetry_fd >= 0) environment.push_back(absl::StrCat("MUSTER_TELEMETRY_FD=", telemetry_fd));
  const std::vector<char*> argv = Pointers(arguments);
  const std::vector<char*> envp = Pointers(environment);
  CloseAllBut(telemetry_fd);
  ResetSignals();
  execve(program.path().c_str(), argv.data(), envp.data());
  return ErrnoStatus(errno, absl::StrCat("execve ", program.path()));
}

}  // namespace muster
