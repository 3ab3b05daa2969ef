// Inside the guest: beside real-time tasks that never sleep, ordinary ones get a hundredth of each CPU; of nothing at
// all the kernel's own would die. Exit code 0: it is so, and every thread of every musterd has a real-time priority.
#include <sched.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace {

namespace fs = std::filesystem;

bool Write(const fs::path& path, const char* value) {
  std::ofstream file(path);
  file << value << std::flush;
  return file.good();
}

bool IsRealTime(const fs::path& process) {
  std::error_code none;
  bool all = true;
  for (const auto& task : fs::directory_iterator(process / "task", none)) {
    const int policy = sched_getscheduler(std::stoi(task.path().filename()));
    // One that has ended meanwhile has none.
    all = all && (policy == SCHED_FIFO || policy < 0);
  }
  return all;
}

// False also when there is none.
bool IsControlRealTime() {
  bool found = false;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::string name;
    std::ifstream(entry.path() / "comm") >> name;
    if (name != "musterd") continue;
    found = true;
    if (!IsRealTime(entry.path())) return false;
  }
  return found;
}

}  // namespace

int main() {
  // The period is 100 ms, which init has seen to.
  const bool done = Write("/proc/sys/kernel/sched_rt_runtime_us", "99000");
  // Since Linux 6.12 a server of each CPU gives it to them, of as long a period; some kernels refuse so little, and
  // then they keep init's five hundredths.
  std::error_code none;
  for (const auto& cpu : fs::directory_iterator("/sys/kernel/debug/sched/fair_server", none)) {
    Write(cpu.path() / "runtime", "1000000");
  }
  if (!done) return 1;
  return IsControlRealTime() ? 0 : 2;
}
