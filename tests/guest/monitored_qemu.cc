#include "tests/guest/monitored_qemu.h"

#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/deadline.h"
#include "base/errno_status.h"
#include "base/file_io.h"
#include "base/status_macros.h"
#include "base/unique_fd.h"

namespace muster {
namespace {

// In the abstract name space: it is no file that could be left.
std::string MonitorName() { return absl::StrCat("muster-test-monitor-", getpid()); }

absl::StatusOr<UniqueFd> Connect() {
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const std::string name = MonitorName();
  memcpy(address.sun_path + 1, name.data(), name.size());
  const socklen_t size = offsetof(sockaddr_un, sun_path) + 1 + name.size();
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) return ErrnoStatus(errno, "connect to QEMU");
  return fd;
}

// Until an answer has come; events may come before it.
absl::Status ReadUntil(int fd, const std::string& words) {
  const Deadline deadline = Deadline::After(absl::Minutes(1));
  std::string said;
  while (!absl::StrContains(said, words)) {
    pollfd wait = {fd, POLLIN, 0};
    char buffer[4096];
    const ssize_t got = poll(&wait, 1, deadline.PollTimeoutMs()) == 1 ? read(fd, buffer, sizeof(buffer)) : 0;
    if (got <= 0) return absl::InternalError(absl::StrCat("QEMU's monitor said no ", words, ", but: ", said));
    said.append(buffer, got);
  }
  return absl::OkStatus();
}

}  // namespace

std::string QemuWith(const std::string& directory, const std::string& name, const std::string& arguments) {
  std::string path = absl::StrCat(directory, "/", name);
  std::ofstream(path) << "#!/bin/sh\nexec qemu-system-x86_64 " << arguments << " \"$@\"\n";
  chmod(path.c_str(), 0755);
  return path;
}

std::string MonitorArguments() {
  return absl::StrCat("-chardev socket,id=monitor,path=", MonitorName(),
                      ",abstract=on,tight=on,server=on,wait=off -mon chardev=monitor,mode=control");
}

absl::Status TellMonitor(const std::string& command) {
  ASSIGN_OR_RETURN(const UniqueFd fd, Connect());
  RETURN_IF_ERROR(ReadUntil(fd.get(), "QMP"));
  for (const std::string& one : {std::string("qmp_capabilities"), command}) {
    RETURN_IF_ERROR(WriteAll(fd.get(), absl::StrCat("{\"execute\": \"", one, "\"}\n")));
    RETURN_IF_ERROR(ReadUntil(fd.get(), "\"return\""));
  }
  return absl::OkStatus();
}

}  // namespace muster
