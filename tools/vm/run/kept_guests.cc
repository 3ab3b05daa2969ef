#include "tools/vm/run/kept_guests.h"

#include <signal.h>

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "base/deadline.h"
#include "base/file_io.h"
#include "base/pidfd.h"
#include "base/status_macros.h"
#include "tools/vm/run/guest_dir.h"
#include "tools/vm/support/cache.h"

namespace muster::vm {
namespace {

constexpr absl::Duration kEndLimit = absl::Seconds(10);

// Address on the first line, pids on the second.
std::string RecordPath(const std::string& directory) { return directory + "/kept"; }

absl::StatusOr<KeptGuest> ReadRecord(const std::string& directory) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(RecordPath(directory)));
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  KeptGuest guest = {directory, lines[0], {}};
  for (absl::string_view word : absl::StrSplit(lines.size() > 1 ? lines[1] : "", ' ', absl::SkipEmpty())) {
    pid_t pid = -1;
    if (absl::SimpleAtoi(word, &pid) && pid > 0) guest.pids.push_back(pid);
  }
  return guest;
}

// Every process of a guest has its folder on its command line. The handle is opened first, so the number cannot change
// hands between the look and the signal.
absl::Status End(const KeptGuest& guest, pid_t pid) {
  const absl::StatusOr<Pidfd> process = Pidfd::Open(pid);
  if (absl::IsNotFound(process.status())) return absl::OkStatus();
  RETURN_IF_ERROR(process.status());
  const absl::StatusOr<std::string> command = ReadFile(absl::StrCat("/proc/", pid, "/cmdline"));
  if (!command.ok() || !absl::StrContains(*command, guest.directory + "/")) return absl::OkStatus();
  const absl::Status signalled = process->Signal(SIGKILL);
  if (absl::IsNotFound(signalled)) return absl::OkStatus();
  RETURN_IF_ERROR(signalled);
  return process->WaitEnd(Deadline::After(kEndLimit));
}

}  // namespace

absl::Status RecordKeptGuest(const KeptGuest& guest) {
  return WriteFileAtomically(RecordPath(guest.directory),
                             absl::StrCat(guest.address, "\n", absl::StrJoin(guest.pids, " "), "\n"));
}

absl::StatusOr<std::vector<KeptGuest>> ListKeptGuests(const std::string& root) {
  ASSIGN_OR_RETURN(const std::vector<std::string> directories, ListGuestDirs(root));
  std::vector<KeptGuest> guests;
  for (const std::string& directory : directories) {
    absl::StatusOr<KeptGuest> guest = ReadRecord(directory);
    if (guest.ok()) guests.push_back(*std::move(guest));
  }
  return guests;
}

absl::Status StopKeptGuest(const KeptGuest& guest) {
  for (const pid_t pid : guest.pids) RETURN_IF_ERROR(End(guest, pid));
  std::error_code error;
  std::filesystem::remove_all(guest.directory, error);
  return error ? absl::InternalError(absl::StrCat("remove ", guest.directory, ": ", error.message()))
               : absl::OkStatus();
}

}  // namespace muster::vm
