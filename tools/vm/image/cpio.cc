#include "tools/vm/image/cpio.h"

#include <sys/stat.h>

#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"

namespace muster::vm {
namespace {

constexpr absl::string_view kTrailer = "TRAILER!!!";
constexpr size_t kMaxPath = 4095;

void Pad(std::string* archive) { archive->resize((archive->size() + 3) / 4 * 4, '\0'); }

absl::Status CheckPath(absl::string_view path) {
  if (path.empty() || path.size() > kMaxPath)
    return absl::InvalidArgumentError("add to the image: a path of 1 to 4095 bytes is needed");
  for (absl::string_view part : absl::StrSplit(path, '/')) {
    if (part.empty() || part == "." || part == "..") {
      return absl::InvalidArgumentError(absl::StrCat("add ", path, " to the image: not a plain relative path"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CpioWriter::AddDirectory(absl::string_view path, uint32_t permissions) {
  return Add({path, S_IFDIR | permissions, "", {0, 0}});
}

absl::Status CpioWriter::AddFile(absl::string_view path, uint32_t permissions, absl::string_view content) {
  if (content.size() > std::numeric_limits<uint32_t>::max())
    return absl::InvalidArgumentError(absl::StrCat("add ", path, " to the image: 4 GiB or more"));
  return Add({path, S_IFREG | permissions, content, {0, 0}});
}

absl::Status CpioWriter::AddSymlink(absl::string_view path, absl::string_view target) {
  return Add({path, S_IFLNK | 0777, target, {0, 0}});
}

absl::Status CpioWriter::AddCharDevice(absl::string_view path, uint32_t permissions, Device device) {
  return Add({path, S_IFCHR | permissions, "", device});
}

absl::Status CpioWriter::Add(const Entry& entry) {
  RETURN_IF_ERROR(CheckPath(entry.path));
  if (paths_.count(std::string(entry.path)) != 0) {
    return absl::InvalidArgumentError(absl::StrCat("add ", entry.path, " to the image: it is there already"));
  }
  for (size_t slash = entry.path.find('/'); slash != absl::string_view::npos; slash = entry.path.find('/', slash + 1)) {
    const absl::string_view parent = entry.path.substr(0, slash);
    if (paths_.insert(std::string(parent)).second) Append({parent, S_IFDIR | 0755, "", {0, 0}});
  }
  paths_.emplace(entry.path);
  Append(entry);
  return absl::OkStatus();
}

void CpioWriter::Append(const Entry& entry) {
  const bool directory = S_ISDIR(entry.mode);
  // Fields: inode, mode, uid, gid, links, mtime, size, device of the archive (2), device of the node (2), name length,
  // checksum.
  absl::StrAppendFormat(&archive_, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", next_inode_++,
                        entry.mode, 0u, 0u, directory ? 2u : 1u, 0u, static_cast<uint32_t>(entry.content.size()), 0u,
                        0u, entry.device.major, entry.device.minor, static_cast<uint32_t>(entry.path.size() + 1), 0u);
  archive_.append(entry.path.data(), entry.path.size());
  archive_.push_back('\0');
  Pad(&archive_);
  archive_.append(entry.content.data(), entry.content.size());
  Pad(&archive_);
}

std::string CpioWriter::Finish() && {
  Append({kTrailer, 0, "", {0, 0}});
  return std::move(archive_);
}

}  // namespace muster::vm
