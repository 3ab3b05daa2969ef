// A sysfs tree of a machine that is not there, for tests.
#ifndef MUSTER_DAEMON_SPEC_FAKE_SYSFS_H_
#define MUSTER_DAEMON_SPEC_FAKE_SYSFS_H_

#include <cstdint>
#include <string>

namespace muster {

// Removes its tree when destroyed.
class FakeSysfs {
 public:
  FakeSysfs();
  FakeSysfs(const FakeSysfs&) = delete;
  FakeSysfs& operator=(const FakeSysfs&) = delete;
  ~FakeSysfs();

  const std::string& root() const { return root_; }

  void Online(const std::string& cpus);
  // Hardware threads of CPU `cpu`'s core.
  void Core(uint32_t cpu, const std::string& siblings);
  void Package(uint32_t cpu, const std::string& cpus);
  // Cache `index` of a CPU.
  void Cache(uint32_t cpu, uint32_t index, int level, const std::string& cpus);
  void Node(uint32_t node, const std::string& cpus);
  void OnlineNodes(const std::string& nodes);

  // Any file below the root; folders are made.
  void Write(const std::string& path, const std::string& text);

 private:
  std::string root_;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_SPEC_FAKE_SYSFS_H_
