// A program beside musterd in a guest whose pid 1 is musterd.
//   stranger FLAGS...   as pid 1: leaves an orphan and becomes musterd with these flags
//   stranger reap       ends that orphan, and succeeds when its new parent, pid 1, has reaped it
//   stranger look       succeeds when pid 1 has made the machine
//   stranger power-off  asks pid 1 for the end of the machine, as BusyBox does
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ctime>
#include <fstream>
#include <string>

namespace {

constexpr char kOrphan[] = "/orphan";
constexpr int kPatienceSeconds = 60;

int Fail(const std::string& what) {
  std::ofstream("/dev/console") << "stranger: " << what << std::endl;
  return 1;
}

// Its parent ends before this returns, which makes it a child of pid 1 that pid 1 has not started.
void LeaveOrphan() {
  const pid_t parent = fork();
  if (parent == 0) {
    const pid_t orphan = fork();
    if (orphan == 0) {
      while (true) pause();
    }
    std::ofstream(kOrphan) << orphan << std::endl;
    _exit(0);
  }
  waitpid(parent, nullptr, 0);
}

// The field of /proc/PID/stat, of which the name is the second: a state, a parent.
std::string Field(pid_t pid, int number) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string field;
  while (number-- > 0) file >> field;
  return field;
}

int Reap() {
  pid_t orphan = 0;
  std::ifstream(kOrphan) >> orphan;
  if (orphan <= 1) return Fail("there is no orphan");
  if (Field(orphan, 4) != "1") return Fail("the orphan's parent is " + Field(orphan, 4));
  if (kill(orphan, SIGKILL) != 0) return Fail("end the orphan");
  const time_t end = time(nullptr) + kPatienceSeconds;
  while (access(("/proc/" + std::to_string(orphan)).c_str(), F_OK) == 0) {
    if (time(nullptr) > end) return Fail("the orphan is there in state " + Field(orphan, 3));
    sched_yield();
  }
  return 0;
}

int Look() {
  for (const char* folder :
       {"/proc", "/sys", "/dev", "/dev/shm", "/sys/fs/cgroup", "/run", "/tmp", "/sys/kernel/debug"}) {
    struct stat inside, outside;
    if (stat(folder, &inside) != 0 || stat((std::string(folder) + "/..").c_str(), &outside) != 0 ||
        inside.st_dev == outside.st_dev)
      return Fail(std::string("nothing is mounted on ") + folder);
  }
  std::string period;
  std::ifstream("/proc/sys/kernel/sched_rt_period_us") >> period;
  if (period != "100000") return Fail("real-time tasks have a period of " + period);
  if (sched_getscheduler(1) != SCHED_FIFO) return Fail("pid 1 is an ordinary task");
  if (Field(1, 2) != "(musterd)") return Fail("pid 1 is " + Field(1, 2));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (getpid() == 1) {
    LeaveOrphan();
    argv[0] = const_cast<char*>("musterd");
    execv("/bin/musterd", argv);
    return Fail("become musterd");
  }
  if (what == "reap") return Reap();
  if (what == "look") return Look();
  if (what == "power-off") {
    kill(1, SIGUSR2);
    while (true) pause();
  }
  return Fail("what is \"" + what + "\"?");
}
