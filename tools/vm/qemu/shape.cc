#include "tools/vm/qemu/shape.h"

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"

namespace muster::vm {
namespace {

constexpr uint64_t kMinMemoryMib = 256;
constexpr uint64_t kMaxMemoryMib = uint64_t{1} << 20;

absl::Status Check(const Shape& shape) {
  if (shape.cpus % (shape.sockets() * shape.threads()) != 0) {
    return absl::InvalidArgumentError(absl::StrCat("shape of the guest: ", shape.cpus, " CPUs cannot be divided into ",
                                                   shape.sockets(), " LLCs of ", shape.threads(), " threads per core"));
  }
  if (shape.sockets() % shape.nodes != 0) {
    return absl::InvalidArgumentError(absl::StrCat("shape of the guest: ", shape.sockets(),
                                                   " LLCs cannot be divided between ", shape.nodes, " nodes"));
  }
  if (shape.memory_mib < kMinMemoryMib || shape.memory_mib > kMaxMemoryMib || shape.memory_mib / shape.nodes < 128) {
    return absl::InvalidArgumentError(absl::StrCat("shape of the guest: ", shape.memory_mib, " MiB; at least ",
                                                   kMinMemoryMib, " and at least 128 for each node are needed"));
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<FlagSpec> ShapeFlags() {
  return {{"cpus", "N", "CPUs of the guest (default 2)"},
          {"numa", "N", "NUMA nodes (default 1)"},
          {"llcs", "N", "last-level caches (default one per node)"},
          {"smt", "", "two threads per core"},
          {"memory", "SIZE", "as 768M or 1G (default 512M)"}};
}

absl::StatusOr<uint64_t> ParseMemory(const std::string& text) {
  uint64_t number = 0;
  const bool unit = !text.empty() && absl::ascii_isalpha(text.back());
  const char suffix = unit ? absl::ascii_toupper(text.back()) : 'M';
  if (!absl::SimpleAtoi(unit ? text.substr(0, text.size() - 1) : text, &number) || (suffix != 'M' && suffix != 'G') ||
      number > kMaxMemoryMib) {
    return absl::InvalidArgumentError(absl::StrCat("--memory=", text, ": write it as 768M or 1G"));
  }
  return suffix == 'G' ? number * 1024 : number;
}

absl::StatusOr<Shape> ShapeFrom(const Flags& flags) {
  Shape shape;
  ASSIGN_OR_RETURN(shape.cpus, flags.GetInt("cpus", shape.cpus, {1, 255}));
  ASSIGN_OR_RETURN(shape.nodes, flags.GetInt("numa", shape.nodes, {1, 16}));
  ASSIGN_OR_RETURN(shape.llcs, flags.GetInt("llcs", 0, {1, 64}));
  shape.smt = flags.Has("smt");
  if (flags.Has("memory")) {
    ASSIGN_OR_RETURN(shape.memory_mib, ParseMemory(flags.Get("memory")));
  }
  RETURN_IF_ERROR(Check(shape));
  return shape;
}

std::string Describe(const Shape& shape) {
  return absl::StrFormat("%d CPUs%s, %d node%s, %d LLC%s, %d MiB", shape.cpus, shape.smt ? " (SMT)" : "", shape.nodes,
                         shape.nodes == 1 ? "" : "s", shape.sockets(), shape.sockets() == 1 ? "" : "s",
                         shape.memory_mib);
}

std::vector<std::string> ShapeArguments(const Shape& shape) {
  const uint32_t cores = shape.cpus / (shape.sockets() * shape.threads());
  std::vector<std::string> arguments = {
      "-smp", absl::StrFormat("%d,sockets=%d,cores=%d,threads=%d", shape.cpus, shape.sockets(), cores, shape.threads()),
      "-m", absl::StrFormat("%dM", shape.memory_mib / shape.nodes * shape.nodes)};
  const auto memory = [&](uint32_t node) {
    return absl::StrFormat("memory-backend-memfd,id=m%d,size=%dM,share=on", node, shape.memory_mib / shape.nodes);
  };
  if (shape.nodes == 1) {
    arguments.insert(arguments.end(), {"-object", memory(0), "-machine", "memory-backend=m0"});
    return arguments;
  }
  const uint32_t per_node = shape.cpus / shape.nodes;
  for (uint32_t node = 0; node < shape.nodes; ++node) {
    arguments.insert(arguments.end(), {"-object", memory(node), "-numa",
                                       absl::StrFormat("node,nodeid=%d,cpus=%d-%d,memdev=m%d", node, node * per_node,
                                                       (node + 1) * per_node - 1, node)});
  }
  for (uint32_t from = 0; from < shape.nodes; ++from) {
    for (uint32_t to = from + 1; to < shape.nodes; ++to) {
      arguments.insert(arguments.end(), {"-numa", absl::StrFormat("dist,src=%d,dst=%d,val=20", from, to)});
    }
  }
  return arguments;
}

}  // namespace muster::vm
