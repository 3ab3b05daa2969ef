#include "daemon/poolhost/children.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/file_io.h"

namespace muster {
namespace {

// Entries of a directory that are numbers.
std::vector<pid_t> Numbers(const std::string& directory) {
  std::vector<pid_t> numbers;
  DIR* dir = opendir(directory.c_str());
  if (dir == nullptr) return numbers;
  while (const dirent* entry = readdir(dir)) {
    pid_t number;
    if (absl::SimpleAtoi(entry->d_name, &number) && number > 0) numbers.push_back(number);
  }
  closedir(dir);
  return numbers;
}

// Appends the children of each of our threads; false when the kernel does not tell them.
bool FromTasks(const std::string& procfs, std::vector<pid_t>* children) {
  constexpr size_t kMaxBytes = 8u << 20;  // a number takes at most 8
  bool told = false;
  for (const pid_t thread : Numbers(procfs + "/self/task")) {
    const auto text = ReadFileAt(AT_FDCWD, absl::StrCat(procfs, "/self/task/", thread, "/children"), kMaxBytes);
    if (!text.ok()) continue;  // a thread that has ended meanwhile has handed its children to another
    told = true;
    for (absl::string_view word : absl::StrSplit(*text, ' ', absl::SkipWhitespace())) {
      pid_t pid;
      if (absl::SimpleAtoi(word, &pid)) children->push_back(pid);
    }
  }
  return told;
}

// Number of a process's parent; -1 when it is gone. The name before it may contain anything but ends at the last ')'.
pid_t ParentOf(const std::string& procfs, pid_t pid) {
  const auto text = ReadFile(absl::StrCat(procfs, "/", pid, "/stat"));
  if (!text.ok()) return -1;
  const size_t name_end = text->rfind(") ");
  if (name_end == std::string::npos) return -1;
  const std::vector<absl::string_view> fields =
      absl::StrSplit(absl::string_view(*text).substr(name_end + 2), absl::MaxSplits(' ', 2));
  pid_t parent;
  return fields.size() > 1 && absl::SimpleAtoi(fields[1], &parent) ? parent : -1;
}

}  // namespace

std::vector<pid_t> ListChildren(const std::string& procfs) {
  std::vector<pid_t> children;
  if (FromTasks(procfs, &children)) return children;
  for (const pid_t pid : Numbers(procfs)) {
    if (ParentOf(procfs, pid) == getpid()) children.push_back(pid);
  }
  return children;
}

std::optional<ProcessEnd> ReapIfEnded(pid_t child) {
  siginfo_t info = {};
  while (waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | __WALL) != 0) {
    if (errno != EINTR) return std::nullopt;
  }
  if (info.si_pid == 0) return std::nullopt;
  if (info.si_code == CLD_EXITED) return ProcessEnd{info.si_status, 0};
  return ProcessEnd{-1, info.si_status};
}

}  // namespace muster
