// What a workload does while it runs.
#ifndef MUSTER_TOOLS_CLI_LIVE_VIEW_H_
#define MUSTER_TOOLS_CLI_LIVE_VIEW_H_

#include <cstdint>
#include <string>
#include <vector>

#include "muster/v1/muster.pb.h"

namespace muster {

// PascalCase name of a work type, as "PipeIo"; the label of a Custom.
std::string WorkTypeName(const v1::Work& work);

// Turns updates into lines: one per group, with its rate and how many of its workers run. Thread-compatible.
class LiveView {
 public:
  enum class Style {
    // Each update adds its lines.
    kPlain,
    // Each update overwrites the lines of the one before, on a terminal.
    kOverwrite,
  };

  struct Group {
    // As "cg0 PipeIo".
    std::string label;
    uint32_t workers = 0;
  };

  // `group_of_worker`: index into `groups` of each worker.
  LiveView(std::vector<Group> groups, std::vector<uint32_t> group_of_worker, Style style)
      : groups_(std::move(groups)),
        group_of_worker_(std::move(group_of_worker)),
        style_(style),
        pending_(groups_.size(), 0) {}

  // The pool's groups by its resolved spec and its workers.
  static LiveView ForPool(const v1::WorkloadSpec& resolved_spec,
                          const google::protobuf::RepeatedPtrField<v1::WorkerInfo>& workers, Style style);

  // When the workers were released: rates of the first update count from here.
  void SetStart(uint64_t started_at_ns) { started_at_ns_ = last_at_ns_ = started_at_ns; }

  // What to print for an update; empty when hardly any time has passed since the last, whose differences then count
  // with the next.
  std::string Render(const v1::WatchUpdate& update);

 private:
  const std::vector<Group> groups_;
  const std::vector<uint32_t> group_of_worker_;
  const Style style_;
  uint64_t started_at_ns_ = 0;
  uint64_t last_at_ns_ = 0;
  // Iterations per group since then.
  std::vector<uint64_t> pending_;
  bool drawn_ = false;
};

}  // namespace muster

#endif  // MUSTER_TOOLS_CLI_LIVE_VIEW_H_
