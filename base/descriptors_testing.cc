#include "base/descriptors_testing.h"

#include <dirent.h>

#include <string>

namespace muster {

int CountDescriptors(pid_t pid) {
  DIR* const directory = opendir(("/proc/" + std::to_string(pid) + "/fd").c_str());
  if (directory == nullptr) return -1;
  int count = 0;
  while (const dirent* entry = readdir(directory)) count += entry->d_name[0] != '.' ? 1 : 0;
  closedir(directory);
  return count;
}

}  // namespace muster
