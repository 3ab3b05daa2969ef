// A program that takes musterd's flags and serves a FakeMuster, or misbehaves as MUSTERD_BEHAVIOUR says:
//   exit            exits with code 7 before it serves
//   mute            never says that it serves
//   garbage         says something else
//   ignore_sigterm  serves, and does not end on SIGTERM
//   bad_end         serves, and exits with code 9 on SIGTERM
//   dies_early      serves, and is gone a moment after the first Start
// It writes its flags, one a line, to the file that MUSTERD_FLAGS_FILE names.
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/file_io.h"
#include "tests/support/fake_muster.h"

namespace muster {
namespace {

std::string Flag(int argc, char** argv, const std::string& name) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (argv[i] == name) return argv[i + 1];
  }
  return "";
}

std::string Environment(const char* name) {
  const char* value = getenv(name);
  return value == nullptr ? "" : value;
}

void WriteFlags(int argc, char** argv) {
  const std::string path = Environment("MUSTERD_FLAGS_FILE");
  if (path.empty()) return;
  std::ofstream file(path);
  for (int i = 1; i < argc; ++i) file << argv[i] << "\n";
}

void AwaitSigterm() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  int received = 0;
  sigwait(&signals, &received);
}

int Serve(int argc, char** argv, const std::string& behaviour) {
  FakeMuster fake(*ParseAddress(Flag(argc, argv, "--listen")));
  int ready = -1;
  if (!absl::SimpleAtoi(Flag(argc, argv, "--ready-fd"), &ready)) return 64;
  const std::string greeting = behaviour == "garbage" ? "HELLO\n" : absl::StrCat("READY ", fake.address(), "\n");
  if (behaviour != "mute" && !WriteAll(ready, greeting).ok()) return 70;
  if (behaviour != "mute") close(ready);
  if (behaviour == "dies_early") {
    fake.WaitForCall("Start p1");
    _exit(9);
  }
  AwaitSigterm();
  if (behaviour == "ignore_sigterm") AwaitSigterm();
  return behaviour == "bad_end" ? 9 : 0;
}

int Main(int argc, char** argv) {
  // Ends with the test, whatever that dies of.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // Before any thread is made, so that SIGTERM waits for sigwait in all of them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  WriteFlags(argc, argv);
  const std::string behaviour = Environment("MUSTERD_BEHAVIOUR");
  if (behaviour != "exit") return Serve(argc, argv, behaviour);
  std::cerr << "musterd: exits on purpose\n";
  return 7;
}

}  // namespace
}  // namespace muster

int main(int argc, char** argv) { return muster::Main(argc, argv); }
