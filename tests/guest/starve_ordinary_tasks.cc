// Inside the guest: beside real-time tasks that never sleep, ordinary ones get one hundredth of each CPU; of nothing at
// all the kernel's own would die. Exit code 0: it is so.
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

}  // namespace

int main() {
  // The period is 100 ms, which init has seen to.
  bool done = Write("/proc/sys/kernel/sched_rt_runtime_us", "99000");
  // Since Linux 6.12 a server of each CPU gives it to them, of as long a period.
  std::error_code none;
  for (const auto& cpu : fs::directory_iterator("/sys/kernel/debug/sched/fair_server", none)) {
    done = Write(cpu.path() / "runtime", "1000000") && done;
  }
  return done ? 0 : 1;
}
