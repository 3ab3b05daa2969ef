#include "tools/cli/live_view.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace muster {
namespace {

constexpr uint64_t kMinIntervalNs = 50'000'000;

// Of the group at `index`: the primary one is 0.
LiveView::Group GroupOf(const v1::WorkloadSpec& spec, int index) {
  const v1::Work& work = index == 0 ? spec.work() : spec.composed(index - 1).work();
  const std::string& cgroup = index == 0 ? spec.cgroup() : spec.composed(index - 1).cgroup();
  return {.label = absl::StrCat(cgroup, cgroup.empty() ? "" : " ", WorkTypeName(work))};
}

}  // namespace

std::string WorkTypeName(const v1::Work& work) {
  if (work.has_custom() && !work.custom().label().empty()) return work.custom().label();
  const google::protobuf::OneofDescriptor* type = v1::Work::descriptor()->FindOneofByName("type");
  const google::protobuf::FieldDescriptor* arm = work.GetReflection()->GetOneofFieldDescriptor(work, type);
  // A spec that was not resolved may leave it out.
  return arm == nullptr ? "SpinWait" : arm->message_type()->name();
}

LiveView LiveView::ForPool(const v1::WorkloadSpec& resolved_spec,
                           const google::protobuf::RepeatedPtrField<v1::WorkerInfo>& workers, Style style) {
  std::vector<Group> groups;
  for (int i = 0; i <= resolved_spec.composed_size(); ++i) groups.push_back(GroupOf(resolved_spec, i));
  std::vector<uint32_t> group_of_worker;
  for (const v1::WorkerInfo& worker : workers) {
    const uint32_t group = std::min<uint32_t>(worker.group_idx(), groups.size() - 1);
    group_of_worker.push_back(group);
    ++groups[group].workers;
  }
  return LiveView(std::move(groups), std::move(group_of_worker), style);
}

std::string LiveView::Render(const v1::WatchUpdate& update) {
  std::vector<uint32_t> running(groups_.size(), 0);
  for (size_t i = 0; i < group_of_worker_.size(); ++i) {
    const int index = static_cast<int>(i);
    if (index < update.iterations_delta_size()) pending_[group_of_worker_[i]] += update.iterations_delta(index);
    if (index < update.states_size() && update.states(index) == v1::RUNNING) ++running[group_of_worker_[i]];
  }
  // A rate over less says nothing; a watch begins with such an update.
  if (update.taken_at_ns() < last_at_ns_ + kMinIntervalNs) return "";
  const double seconds = static_cast<double>(update.taken_at_ns() - last_at_ns_) / 1e9;
  const double elapsed = static_cast<double>(update.taken_at_ns() - started_at_ns_) / 1e9;
  std::string text;
  if (style_ == Style::kOverwrite && drawn_) absl::StrAppend(&text, "\x1b[", groups_.size(), "A");
  for (size_t i = 0; i < groups_.size(); ++i) {
    absl::StrAppendFormat(&text, "%s%6.1fs  %s: %.0f iterations/s, %d/%d workers running\n",
                          style_ == Style::kOverwrite ? "\r\x1b[K" : "", elapsed, groups_[i].label,
                          static_cast<double>(pending_[i]) / seconds, running[i], groups_[i].workers);
    pending_[i] = 0;
  }
  last_at_ns_ = update.taken_at_ns();
  drawn_ = true;
  return text;
}

}  // namespace muster
