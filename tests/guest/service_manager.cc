// What a service manager does for musterd, inside the guest: service_manager ARGUMENTS... makes
// /system.slice/musterd.service, hands it over (Delegate=yes), starts musterd with these arguments in it, and tells the
// console where musterd stands once it serves:
//   service-manager: standing in /system.slice/musterd.service/...
// Ends with musterd, which gets its SIGTERM.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

namespace {

constexpr char kMount[] = "/sys/fs/cgroup";
constexpr char kSlice[] = "/sys/fs/cgroup/system.slice";
constexpr char kService[] = "/sys/fs/cgroup/system.slice/musterd.service";
constexpr int kReadyFd = 3;

volatile sig_atomic_t g_musterd = 0;

[[noreturn]] void Fail(const std::string& what) {
  std::ofstream("/dev/console") << "service-manager: " << what << ": " << strerror(errno) << std::endl;
  _exit(1);
}

void Write(const std::string& path, const std::string& text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, text.data(), text.size()) < 0) Fail("write " + text + " to " + path);
  close(fd);
}

// As systemd lays it out: the slice gives its controllers on, the service's own subtree is the service's matter.
void MakeService() {
  const std::string controllers = "+cpuset +cpu +memory +pids";
  Write(std::string(kMount) + "/cgroup.subtree_control", controllers);
  if (mkdir(kSlice, 0755) != 0) Fail("make the slice");
  Write(std::string(kSlice) + "/cgroup.subtree_control", controllers);
  if (mkdir(kService, 0755) != 0) Fail("make the service");
  if (setxattr(kService, "trusted.delegate", "1", 1, 0) != 0) Fail("mark the service as delegated");
}

[[noreturn]] void BecomeMusterd(int ready, char** arguments) {
  Write(std::string(kService) + "/cgroup.procs", "0");
  std::string ready_flag = "--ready-fd=3", worker = "--worker-binary=/bin/muster-worker", name = "/bin/musterd";
  std::vector<char*> argv = {name.data(), ready_flag.data(), worker.data()};
  for (; *arguments != nullptr; ++arguments) argv.push_back(*arguments);
  argv.push_back(nullptr);
  if (ready != kReadyFd) dup2(ready, kReadyFd);
  execv("/bin/musterd", argv.data());
  Fail("run musterd");
}

std::string CgroupOf(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/cgroup");
  std::string line;
  while (std::getline(file, line) && line.rfind("0::", 0) != 0) {
  }
  return line.substr(3);
}

}  // namespace

int main(int, char** argv) {
  MakeService();
  int ends[2];
  if (pipe(ends) != 0) Fail("make a pipe");
  const pid_t musterd = fork();
  if (musterd == 0) BecomeMusterd(ends[1], argv + 1);
  if (musterd < 0) Fail("start musterd");
  close(ends[1]);
  g_musterd = musterd;
  signal(SIGTERM, [](int) { kill(static_cast<pid_t>(g_musterd), SIGTERM); });
  char line[256];
  if (read(ends[0], line, sizeof(line)) <= 0) Fail("wait for musterd");
  std::ofstream("/dev/console") << "service-manager: standing in " << CgroupOf(musterd) << std::endl;
  int status = 0;
  while (waitpid(musterd, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
