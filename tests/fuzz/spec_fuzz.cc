// A specification as people write it: what is read can be written and read again, and validation judges it without a
// crash.
#include <google/protobuf/text_format.h>

#include "daemon/spec/validate.h"
#include "tests/fuzz/fuzz.h"
#include "tools/cli/spec_file.h"

namespace muster::fuzz {

std::vector<std::string> Seeds() {
  return {"num_workers: 2 work { spin_wait {} } duration { seconds: 1 }",
          "num_workers: 4 work { pipe_io { burst_iters: 1 } } affinity { exact { cpus: \"0-1,3\" } }",
          "work { sequence { phases { spin { duration { nanos: 5 } } } } } sched_policy { fifo { priority: 50 } } # a "
          "comment\n",
          "num_workers: 1 composed { num_workers: 2 work { schbench { split_percent: 50 } } cgroup: \"a/b\" } cgroups "
          "{ name: \"a\" }",
          "workers_pct: 50 clone_mode: THREAD mem_policy { bind { nodes: \"0\" } } nice: -3",
          "num_workers: x",
          "work {"};
}

}  // namespace muster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using muster::fuzz::Require;
  const auto spec = muster::ParseSpec(muster::fuzz::TextOf(data, size), "input");
  if (!spec.ok()) return 0;
  std::string text;
  Require(google::protobuf::TextFormat::PrintToString(*spec, &text), "a specification can be written");
  const auto again = muster::ParseSpec(text, "again");
  Require(again.ok(), "what is written is taken");
  Require(again->SerializeAsString() == spec->SerializeAsString(), "and is the same specification");
  const muster::Limits limits;
  const muster::Topology topology;
  (void)muster::Validate(*spec, {.limits = &limits, .topology = &topology});
  return 0;
}
