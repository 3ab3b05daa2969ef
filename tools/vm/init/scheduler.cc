#include "tools/vm/init/scheduler.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "daemon/init/report.h"

namespace muster::guest {
namespace {

using init::Stage;
using init::Warn;

// Where tools/vm/scheduler/scheduler_files.cc puts them.
constexpr char kObject[] = "/scheduler/object";
constexpr char kLoader[] = "/scheduler/bpftool";
constexpr char kDynamicLoader[] = "/scheduler/lib/ld.so";
constexpr char kLibraries[] = "/scheduler/lib";
// The link stays here, and with it the scheduler.
constexpr char kLinks[] = "/sys/fs/bpf";
constexpr char kState[] = "/sys/kernel/sched_ext/";
// The verifier's last words are the reason; before them it may tell every instruction.
constexpr size_t kLoaderLines = 40;

// The first line of a small file; "-" without it.
std::string Value(const std::string& name) {
  const UniqueFd fd(open((kState + name).c_str(), O_RDONLY | O_CLOEXEC));
  char text[256];
  const ssize_t got = fd.valid() ? read(fd.get(), text, sizeof(text)) : 0;
  const std::string value(text, got > 0 ? got : 0);
  const std::string line = value.substr(0, value.find('\n'));
  return line.empty() ? "-" : line;
}

void Say(const char* what, const std::string& text) {
  dprintf(STDOUT_FILENO, "muster-init: scheduler-%s %s\n", what, text.c_str());
}

[[noreturn]] void BecomeLoader(int output) {
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  // As ld.so(8) starts a program whose libraries are not where it was built to look.
  execl(kDynamicLoader, kDynamicLoader, "--library-path", kLibraries, kLoader, "struct_ops", "register", kObject,
        kLinks, nullptr);
  Warn(std::string("run ") + kDynamicLoader);
  _exit(127);
}

std::string ReadToEnd(int fd) {
  std::string text;
  char buffer[4096];
  while (true) {
    const ssize_t got = read(fd, buffer, sizeof(buffer));
    if (got > 0) text.append(buffer, got);
    if (got == 0 || (got < 0 && errno != EINTR)) return text;
  }
}

// Its wait status.
int RunLoader() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    Warn("make a pipe for the loader");
    return -1;
  }
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  const pid_t pid = fork();
  if (pid == 0) BecomeLoader(writer.get());
  writer.Reset();
  for (const std::string& line : LastLines(ReadToEnd(reader.get()), kLoaderLines)) Say("loader", line);
  int status = -1;
  while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

std::string SchedulerLine(const std::string& record) {
  const size_t begin = record.find(';');
  if (begin == std::string::npos) return "";
  const std::string text = record.substr(begin + 1, record.find('\n') - begin - 1);
  return text.find("sched_ext") != std::string::npos ? text : "";
}

std::vector<std::string> LastLines(const std::string& output, size_t count) {
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < output.size();) {
    const size_t end = std::min(output.find('\n', begin), output.size());
    if (end > begin) lines.push_back(output.substr(begin, end - begin));
    begin = end + 1;
  }
  if (lines.size() > count) lines.erase(lines.begin(), lines.end() - count);
  return lines;
}

bool Scheduler::Load() {
  if (access(kObject, F_OK) != 0) return true;
  if (access(kState, F_OK) != 0) {
    Stage("scheduler-failed the guest's kernel has no sched_ext (CONFIG_SCHED_CLASS_EXT)");
    return false;
  }
  // From here on: each reader has a place of its own in the log.
  log_.Reset(open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!log_.valid() || lseek(log_.get(), 0, SEEK_END) < 0) Warn("open the kernel's log");
  if (mount("bpf", kLinks, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) Warn("mount bpf");
  const int status = RunLoader();
  Sample();
  if (status == 0) return true;
  Stage("scheduler-failed the loader ended with " + (WIFEXITED(status) ? "exit=" + std::to_string(WEXITSTATUS(status))
                                                                       : "signal=" + std::to_string(WTERMSIG(status))));
  return false;
}

bool Scheduler::SayLog() {
  bool said = false;
  // A record per call; 8 KiB is the longest (Documentation/ABI/testing/dev-kmsg).
  char record[8192];
  while (log_.valid()) {
    const ssize_t got = read(log_.get(), record, sizeof(record));
    // EPIPE: records were overwritten before we came.
    if (got < 0 && (errno == EPIPE || errno == EINTR)) continue;
    if (got < 0 && errno == EAGAIN) break;
    if (got <= 0) log_.Reset();
    const std::string line = SchedulerLine(std::string(record, got > 0 ? got : 0));
    if (line.empty()) continue;
    Say("kernel", line);
    said = true;
  }
  return said;
}

void Scheduler::OnReadable() {
  if (SayLog()) Sample();
}

void Scheduler::OnRequest(const std::string& request) {
  if (request.find("scheduler") != std::string::npos) Sample();
}

void Scheduler::Sample() {
  // The state before the log: of an end that this sample shows the kernel has told the reason.
  const std::string state = Value("state");
  SayLog();
  Stage("scheduler state=" + state + " ops=" + Value("root/ops") + " enable_seq=" + Value("enable_seq") +
        " nr_rejected=" + Value("nr_rejected") + " switch_all=" + Value("switch_all"));
}

}  // namespace muster::guest
