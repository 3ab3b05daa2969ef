#include "base/cgroup_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/errno_status.h"
#include "base/file_io.h"
#include "base/status_macros.h"

namespace muster {
namespace {

constexpr int kDirectoryFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

absl::Status CheckComponent(absl::string_view name) {
  if (name.empty() || name == "." || name == ".." || name.find('/') != name.npos || name.find('\0') != name.npos) {
    return absl::InvalidArgumentError(absl::StrCat("\"", name, "\" is not the name of one cgroup"));
  }
  return absl::OkStatus();
}

std::vector<std::string> Words(absl::string_view text) {
  return absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty());
}

// The value of `key` in a flat keyed file such as cgroup.events.
absl::StatusOr<bool> FindEvent(absl::string_view text, absl::string_view key) {
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
    if (words.size() == 2 && words[0] == key) return words[1] != "0";
  }
  return absl::InternalError(absl::StrCat("cgroup.events has no line \"", key, "\""));
}

// All of an open kernel file from its start. Reading anew is also what rearms poll(2) on it.
absl::StatusOr<std::string> ReadFromStart(int fd) {
  char buffer[256];
  const ssize_t got = pread(fd, buffer, sizeof(buffer), 0);
  if (got < 0) return ErrnoStatus(errno, "read cgroup.events");
  return std::string(buffer, got);
}

}  // namespace

const CgroupFs* CgroupFs::Kernel() {
  static const CgroupFs kernel;
  return &kernel;
}

absl::Status CgroupFs::MakeDirectory(int dir, const std::string& name) const {
  if (mkdirat(dir, name.c_str(), 0755) == 0) return absl::OkStatus();
  const int error_number = errno;
  const absl::Status status = ErrnoStatus(error_number, absl::StrCat("mkdir ", name));
  if (error_number != EAGAIN) return status;
  return absl::ResourceExhaustedError(absl::StrCat(
      status.message(),
      ": no room for another cgroup; the limit is cgroup.max.descendants or cgroup.max.depth of one above it"));
}

absl::Status CgroupFs::RemoveDirectory(int dir, const std::string& name) const {
  return unlinkat(dir, name.c_str(), AT_REMOVEDIR) == 0 ? absl::OkStatus()
                                                        : ErrnoStatus(errno, absl::StrCat("rmdir ", name));
}

absl::Status CgroupFs::WriteFile(int dir, const std::string& name, absl::string_view text) const {
  return WriteFileAt(dir, name, text);
}

absl::StatusOr<CgroupDir> CgroupDir::OpenPath(absl::string_view path, const CgroupFs* fs) {
  ASSIGN_OR_RETURN(UniqueFd fd, OpenAt(AT_FDCWD, path, O_RDONLY | O_DIRECTORY));
  return CgroupDir(std::move(fd), std::string(path), fs);
}

CgroupDir CgroupDir::Adopt(UniqueFd fd, absl::string_view label, const CgroupFs* fs) {
  return CgroupDir(std::move(fd), std::string(label), fs);
}

absl::Status CgroupDir::Annotate(const absl::Status& status) const {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat("cgroup ", label_, ": ", status.message()));
}

absl::StatusOr<CgroupDir> CgroupDir::Open(absl::string_view name) const {
  RETURN_IF_ERROR(CheckComponent(name));
  absl::StatusOr<UniqueFd> fd = OpenAt(fd_.get(), name, kDirectoryFlags);
  if (!fd.ok()) return Annotate(fd.status());
  return CgroupDir(*std::move(fd), absl::StrCat(label_, label_ == "/" ? "" : "/", name), fs_);
}

absl::StatusOr<CgroupDir> CgroupDir::OpenBelow(absl::string_view path) const {
  absl::StatusOr<CgroupDir> dir = Duplicate();
  for (absl::string_view name : absl::StrSplit(path, '/')) {
    if (!dir.ok()) return dir.status();
    dir = dir->Open(name);
  }
  return dir;
}

absl::StatusOr<CgroupDir> CgroupDir::Create(absl::string_view name) const {
  RETURN_IF_ERROR(CheckComponent(name));
  const absl::Status made = fs_->MakeDirectory(fd_.get(), std::string(name));
  if (!made.ok() && made.code() != absl::StatusCode::kAlreadyExists) return Annotate(made);
  return Open(name);
}

absl::StatusOr<CgroupDir> CgroupDir::CreateNew(absl::string_view name) const {
  RETURN_IF_ERROR(CheckComponent(name));
  RETURN_IF_ERROR(Annotate(fs_->MakeDirectory(fd_.get(), std::string(name))));
  absl::StatusOr<CgroupDir> dir = Open(name);
  // Needs no descriptor, and the lack of one is why it could not be opened.
  if (!dir.ok()) fs_->RemoveDirectory(fd_.get(), std::string(name)).IgnoreError();
  return dir;
}

absl::Status CgroupDir::RemoveEmpty(absl::string_view name) const {
  RETURN_IF_ERROR(CheckComponent(name));
  return Annotate(fs_->RemoveDirectory(fd_.get(), std::string(name)));
}

absl::StatusOr<CgroupDir> CgroupDir::Duplicate() const {
  UniqueFd fd(fcntl(fd_.get(), F_DUPFD_CLOEXEC, 3));
  if (!fd.valid()) return ErrnoStatus(errno, absl::StrCat("duplicate the descriptor of cgroup ", label_));
  return CgroupDir(std::move(fd), label_, fs_);
}

absl::StatusOr<std::vector<std::string>> CgroupDir::Children() const {
  // A descriptor of its own, since reading a directory moves the offset that duplicates share.
  absl::StatusOr<UniqueFd> fd = OpenAt(fd_.get(), ".", kDirectoryFlags);
  if (!fd.ok()) return Annotate(fd.status());
  DIR* const stream = fdopendir(fd->get());
  if (stream == nullptr) return Annotate(ErrnoStatus(errno, "list"));
  [[maybe_unused]] const int owned_by_stream = fd->Release();
  std::vector<std::string> names;
  while (const dirent* entry = readdir(stream)) {
    const absl::string_view name = entry->d_name;
    if (entry->d_type == DT_DIR && name != "." && name != "..") names.emplace_back(name);
  }
  closedir(stream);
  std::sort(names.begin(), names.end());
  return names;
}

bool CgroupDir::HasFile(absl::string_view file) const {
  return faccessat(fd_.get(), std::string(file).c_str(), F_OK, 0) == 0;
}

bool CgroupDir::IsSameDirectory(const CgroupDir& other) const {
  struct stat mine;
  struct stat theirs;
  return fstat(fd_.get(), &mine) == 0 && fstat(other.fd(), &theirs) == 0 && mine.st_dev == theirs.st_dev &&
         mine.st_ino == theirs.st_ino;
}

absl::StatusOr<std::string> CgroupDir::ReadFile(absl::string_view file) const {
  // 10,000 processes need 80 kB in cgroup.procs.
  absl::StatusOr<std::string> text = ReadFileAt(fd_.get(), file, 64 << 20);
  if (!text.ok()) return Annotate(text.status());
  return text;
}

absl::Status CgroupDir::WriteFile(absl::string_view file, absl::string_view text) const {
  return Annotate(fs_->WriteFile(fd_.get(), std::string(file), text));
}

absl::StatusOr<std::vector<pid_t>> CgroupDir::ReadIds(absl::string_view file) const {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(file));
  std::vector<pid_t> ids;
  for (const std::string& word : Words(text)) {
    pid_t id = 0;
    // 0 stands for a process of another pid namespace; nobody here could signal it by number.
    if (!absl::SimpleAtoi(word, &id) || id < 0) {
      return absl::InternalError(
          absl::StrCat("cgroup ", label_, ": ", file, " has \"", word, "\", which is no process id"));
    }
    if (id > 0) ids.push_back(id);
  }
  return ids;
}

absl::StatusOr<std::vector<pid_t>> CgroupDir::ReadProcs() const { return ReadIds("cgroup.procs"); }
absl::StatusOr<std::vector<pid_t>> CgroupDir::ReadThreads() const { return ReadIds("cgroup.threads"); }

absl::StatusOr<bool> CgroupDir::ReadEvent(absl::string_view key) const {
  ASSIGN_OR_RETURN(const std::string text, ReadFile("cgroup.events"));
  return FindEvent(text, key);
}

absl::StatusOr<bool> CgroupDir::Populated() const { return ReadEvent("populated"); }

absl::Status CgroupDir::WaitEvent(absl::string_view key, bool value, Deadline deadline) const {
  absl::StatusOr<UniqueFd> events = OpenAt(fd_.get(), "cgroup.events", O_RDONLY);
  if (!events.ok()) return Annotate(events.status());
  while (true) {
    const absl::StatusOr<std::string> text = ReadFromStart(events->get());
    if (!text.ok()) return Annotate(text.status());
    absl::StatusOr<bool> now = FindEvent(*text, key);
    if (!now.ok()) return Annotate(now.status());
    if (*now == value) return absl::OkStatus();
    if (deadline.Expired()) {
      return absl::DeadlineExceededError(absl::StrCat("cgroup ", label_, ": ", key, " is still ", *now ? 1 : 0));
    }
    pollfd waiting{events->get(), POLLPRI, 0};
    if (poll(&waiting, 1, deadline.PollTimeoutMs()) < 0 && errno != EINTR) {
      return Annotate(ErrnoStatus(errno, "poll cgroup.events"));
    }
  }
}

absl::Status CgroupDir::WaitUnpopulated(Deadline deadline) const {
  const absl::Status waited = WaitEvent("populated", false, deadline);
  // A removed cgroup has no files any more, and nothing in it.
  return waited.code() == absl::StatusCode::kNotFound ? absl::OkStatus() : waited;
}

absl::Status CgroupDir::Freeze(Deadline deadline) const {
  RETURN_IF_ERROR(WriteFile("cgroup.freeze", "1"));
  return WaitEvent("frozen", true, deadline);
}

absl::Status CgroupDir::Thaw() const { return WriteFile("cgroup.freeze", "0"); }

absl::StatusOr<std::vector<std::string>> CgroupDir::Controllers() const {
  ASSIGN_OR_RETURN(const std::string text, ReadFile("cgroup.controllers"));
  return Words(text);
}

absl::StatusOr<std::vector<std::string>> CgroupDir::EnabledControllers() const {
  ASSIGN_OR_RETURN(const std::string text, ReadFile("cgroup.subtree_control"));
  return Words(text);
}

absl::Status CgroupDir::EnableControllers(const std::vector<std::string>& names) const {
  ASSIGN_OR_RETURN(const std::vector<std::string> enabled, EnabledControllers());
  std::vector<std::string> missing;
  for (const std::string& name : names) {
    if (std::find(enabled.begin(), enabled.end(), name) == enabled.end()) missing.push_back(absl::StrCat("+", name));
  }
  if (missing.empty()) return absl::OkStatus();
  return WriteFile("cgroup.subtree_control", absl::StrJoin(missing, " "));
}

absl::Status CgroupDir::DisableControllers(const std::vector<std::string>& names) const {
  if (names.empty()) return absl::OkStatus();
  return WriteFile("cgroup.subtree_control", absl::StrCat("-", absl::StrJoin(names, " -")));
}

absl::StatusOr<std::string> CgroupDir::Type() const {
  absl::StatusOr<std::string> text = ReadFile("cgroup.type");
  if (text.ok()) return std::string(absl::StripAsciiWhitespace(*text));
  // The root of the hierarchy is the only one without the file.
  if (text.status().code() == absl::StatusCode::kNotFound && HasFile("cgroup.procs")) return std::string("root");
  return text;
}

absl::Status CgroupDir::MakeThreaded() const { return WriteFile("cgroup.type", "threaded"); }

absl::Status CgroupDir::MoveSelfHere() const { return WriteFile("cgroup.procs", "0"); }

}  // namespace muster
