// The shape of a guest: CPUs, nodes, caches, memory.
#ifndef MUSTER_TOOLS_VM_QEMU_SHAPE_H_
#define MUSTER_TOOLS_VM_QEMU_SHAPE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/vm/support/flags.h"

namespace muster::vm {

struct Shape {
  uint32_t cpus = 2;
  // NUMA nodes; CPUs and memory are divided evenly.
  uint32_t nodes = 1;
  // Last-level caches: sockets, as every socket has one of its own. 0: one per node.
  uint32_t llcs = 0;
  // Two hardware threads per core.
  bool smt = false;
  uint64_t memory_mib = 512;

  uint32_t sockets() const { return llcs != 0 ? llcs : nodes; }
  uint32_t threads() const { return smt ? 2 : 1; }
};

// --cpus, --numa, --llcs, --smt, --memory.
std::vector<FlagSpec> ShapeFlags();

// INVALID_ARGUMENT says what does not divide.
absl::StatusOr<Shape> ShapeFrom(const Flags& flags);

// As "1G", "768M" or MiB without a unit.
absl::StatusOr<uint64_t> ParseMemory(const std::string& text);

// As "4 CPUs, 2 nodes, 2 LLCs, 768 MiB".
std::string Describe(const Shape& shape);

// QEMU's arguments for CPUs, memory and nodes. All memory is shared, which a vsock device in user space needs.
std::vector<std::string> ShapeArguments(const Shape& shape);

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_QEMU_SHAPE_H_
