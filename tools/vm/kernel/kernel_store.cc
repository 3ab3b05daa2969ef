#include "tools/vm/kernel/kernel_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/deadline.h"
#include "base/file_io.h"
#include "base/status_macros.h"
#include "tools/vm/kernel/apt_archive.h"
#include "tools/vm/kernel/bzimage.h"
#include "tools/vm/kernel/kernel_folder.h"
#include "tools/vm/support/cache.h"

namespace muster::vm {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxKernelBytes = size_t{512} << 20;
// Of own kernels; each has some 50 MB.
constexpr size_t kKeptUnpacked = 4;

bool IsDirectory(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

// The one file below `root` that is a kernel: boot/vmlinuz-RELEASE, or vmlinuz among its modules.
absl::StatusOr<std::string> FindBzImage(const std::string& root) {
  std::error_code error;
  for (fs::recursive_directory_iterator at(root, error), end; !error && at != end; at.increment(error)) {
    if (absl::StartsWith(at->path().filename().string(), "vmlinuz")) return at->path().string();
  }
  return absl::NotFoundError(absl::StrCat("find a kernel below ", root, ": the package holds no vmlinuz"));
}

std::string FindModules(const std::string& root, const std::string& release) {
  for (const char* prefix : {"/lib/modules/", "/usr/lib/modules/"}) {
    if (IsDirectory(absl::StrCat(root, prefix, release))) return absl::StrCat(root, prefix, release);
  }
  return "";
}

// Of a folder that Install has made.
absl::StatusOr<GuestKernel> ReadInstalled(const std::string& name) {
  ASSIGN_OR_RETURN(const HeldFolder held, HoldFolder(name));
  const std::string& folder = held.path;
  GuestKernel kernel;
  kernel.held = held.held;
  ASSIGN_OR_RETURN(kernel.release, ReadFile(folder + "/release"));
  kernel.image = folder + "/vmlinux";
  if (IsDirectory(folder + "/modules")) kernel.modules = folder + "/modules";
  return kernel;
}

absl::StatusOr<std::string> ReadKernelFile(const std::string& path) {
  return ReadFileAt(AT_FDCWD, path, kMaxKernelBytes);
}

// Turns an unpacked package in `scratch` into the kernel folder of that name: vmlinux, modules, release.
absl::Status Install(const std::string& scratch, const std::string& name) {
  ASSIGN_OR_RETURN(const std::string file, FindBzImage(scratch));
  ASSIGN_OR_RETURN(const std::string image, ReadKernelFile(file));
  ASSIGN_OR_RETURN(const BzImagePayload payload, ParseBzImage(image));
  ASSIGN_OR_RETURN(const std::string elf, ExtractVmlinux(payload));
  ASSIGN_OR_RETURN(const std::string folder, MakeNextFolder(name));
  std::error_code error;
  const std::string modules = FindModules(scratch, payload.release);
  if (!modules.empty()) fs::rename(modules, folder + "/modules", error);
  if (error) return absl::InternalError(absl::StrCat("move ", modules, " into ", folder, ": ", error.message()));
  RETURN_IF_ERROR(WriteFileAtomically(folder + "/vmlinux", elf));
  RETURN_IF_ERROR(WriteFileAtomically(folder + "/release", payload.release));
  return ReplaceFolder(name, folder);
}

absl::Status Fetch(const KernelOptions& options, const std::string& folder) {
  AptOptions apt;
  apt.directory = absl::StrCat(options.cache, "/apt/", options.suite);
  apt.suite = options.suite;
  apt.mirror = options.mirror;
  ASSIGN_OR_RETURN(const AptArchive archive, AptArchive::Open(apt));
  ASSIGN_OR_RETURN(
      const std::vector<std::string> packages,
      archive.Resolve(options.package, {"linux-image-", "linux-binary-", "linux-modules-", "linux-base-"}));
  const std::string scratch = folder + ".unpacking";
  std::error_code error;
  fs::remove_all(scratch, error);
  RETURN_IF_ERROR(MakeDirectories(scratch));
  absl::Status status = archive.Unpack(packages, scratch);
  if (status.ok()) status = Install(scratch, folder);
  fs::remove_all(scratch, error);
  return status;
}

bool IsPlainName(const std::string& name) {
  return !name.empty() && name[0] != '.' && name[0] != '-' &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-._") ==
             std::string::npos;
}

// False: there is no such file.
bool MarkUsed(const std::string& path) {
  std::error_code error;
  fs::last_write_time(path, fs::file_time_type::clock::now(), error);
  return !error;
}

// Leaves the files of `folder` that were used last.
void KeepNewest(const fs::path& folder) {
  std::vector<std::pair<fs::file_time_type, fs::path>> files;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    files.emplace_back(fs::last_write_time(at->path(), error), at->path());
  std::sort(files.rbegin(), files.rend());
  for (size_t i = kKeptUnpacked; i < files.size(); ++i) fs::remove(files[i].second, error);
}

// The ELF file of a bzImage, kept in the cache under what the bzImage holds: a kernel that is built anew has its old
// path, and may have its old time.
absl::StatusOr<std::string> UnpackIntoCache(const std::string& cache, const std::string& content,
                                            const BzImagePayload& payload) {
  const std::string folder = cache + "/vmlinux";
  const std::string path =
      absl::StrCat(folder, "/", absl::Hex(std::hash<std::string>()(content), absl::kZeroPad16), "-", content.size());
  if (MarkUsed(path)) return path;
  ASSIGN_OR_RETURN(const std::string elf, ExtractVmlinux(payload));
  RETURN_IF_ERROR(MakeDirectories(folder));
  RETURN_IF_ERROR(WriteFileAtomically(path, elf));
  // The time that a write leaves may be that of the last tick, before an earlier use's.
  MarkUsed(path);
  KeepNewest(folder);
  return path;
}

}  // namespace

absl::StatusOr<GuestKernel> FetchKernel(const KernelOptions& options) {
  if (!IsPlainName(options.suite) || !IsPlainName(options.package)) {
    return absl::InvalidArgumentError(absl::StrCat("fetch kernel: \"", options.suite, "\" or \"", options.package,
                                                   "\" is no name of a suite or package"));
  }
  const std::string folder = absl::StrCat(options.cache, "/kernels/", options.suite, "/", options.package);
  RETURN_IF_ERROR(MakeDirectories(absl::StrCat(options.cache, "/kernels/", options.suite)));
  ASSIGN_OR_RETURN(const FileLock lock,
                   FileLock::Acquire(options.cache + "/kernels/lock", Deadline::After(absl::Minutes(10))));
  if (options.refresh || access((folder + "/release").c_str(), R_OK) != 0) {
    const absl::Status fetched = Fetch(options, folder);
    if (!fetched.ok()) {
      return absl::Status(fetched.code(), absl::StrCat("fetch kernel ", options.package, " of ", options.suite, ": ",
                                                       fetched.message()));
    }
  }
  return ReadInstalled(folder);
}

absl::StatusOr<GuestKernel> OpenKernel(const OwnKernel& own) {
  ASSIGN_OR_RETURN(const std::string content, ReadKernelFile(own.image));
  GuestKernel kernel;
  kernel.image = own.image;
  if (absl::StartsWith(content,
                       "\x7f"
                       "ELF")) {
    kernel.release = ReleaseOfVmlinux(content);
  } else {
    ASSIGN_OR_RETURN(const BzImagePayload payload, ParseBzImage(content));
    kernel.release = payload.release;
    // Without its decompressor the bzImage boots as well, only later.
    const absl::StatusOr<std::string> unpacked = UnpackIntoCache(own.cache, content, payload);
    if (unpacked.ok()) kernel.image = *unpacked;
  }
  const std::string beside = fs::path(own.image).parent_path() / "modules";
  kernel.modules = !own.modules.empty() ? own.modules : IsDirectory(beside) ? beside : FindModules("", kernel.release);
  return kernel;
}

std::vector<FlagSpec> KernelFlags() {
  return {{"suite", "NAME", "Debian suite: bookworm (default), bookworm-backports, sid"},
          {"package", "NAME", "kernel package (default linux-image-cloud-amd64)"},
          {"mirror", "URL", "Debian archive (default: the one of the host's apt)"},
          {"refresh", "", "ask the suite again although the cache has a kernel"},
          {"cache", "DIR", "default $XDG_CACHE_HOME/muster or ~/.cache/muster"}};
}

absl::StatusOr<KernelOptions> KernelOptionsFrom(const Flags& flags) {
  KernelOptions options;
  ASSIGN_OR_RETURN(options.cache, OpenCache(flags.Get("cache")));
  // Of Debian's kernels only those of sid have sched_ext.
  options.suite = flags.Get("suite", flags.Has("scheduler") ? "sid" : options.suite);
  options.package = flags.Get("package", options.package);
  options.mirror = flags.Get("mirror");
  options.refresh = flags.Has("refresh");
  return options;
}

absl::StatusOr<GuestKernel> KernelFrom(const Flags& flags) {
  ASSIGN_OR_RETURN(const KernelOptions options, KernelOptionsFrom(flags));
  if (flags.Has("kernel")) return OpenKernel({options.cache, flags.Get("kernel"), flags.Get("modules")});
  return FetchKernel(options);
}

}  // namespace muster::vm
