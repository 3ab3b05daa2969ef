#include "daemon/service/watch_reading.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "daemon/service/encoding.h"
#include "muster/v1/muster.pb.h"

namespace muster {
namespace {

using Totals = std::vector<uint64_t>;
template <class T>
using Column = google::protobuf::RepeatedField<T>;

void FillDelta(const Totals& now, const Totals& told, Column<uint64_t>* delta) {
  delta->Resize(static_cast<int>(now.size()), 0);
  for (size_t worker = 0; worker < now.size(); ++worker) {
    (*delta)[static_cast<int>(worker)] = std::max(now[worker], told[worker]) - told[worker];
  }
}

void FillStates(const PoolSnapshot& taken, v1::WatchUpdate* update) {
  Column<int>* const states = update->mutable_states();
  states->Resize(static_cast<int>(taken.states.size()), 0);
  std::transform(taken.states.begin(), taken.states.end(), states->begin(),
                 [](WorkerState state) { return static_cast<int>(state); });
  update->mutable_last_cpus()->Add(taken.last_cpus.begin(), taken.last_cpus.end());
  update->mutable_ages_ns()->Add(taken.ages_ns.begin(), taken.ages_ns.end());
}

bool IsAnyAbove(const Totals& a, const Totals& b) {
  return !std::equal(a.begin(), a.end(), b.begin(), b.end(), std::less_equal<>());
}

Totals Higher(const Totals& a, const Totals& b) {
  Totals higher(a.size());
  std::transform(a.begin(), a.end(), b.begin(), higher.begin(), [](uint64_t x, uint64_t y) { return std::max(x, y); });
  return higher;
}

// Null when `now` is nowhere below `told`.
std::shared_ptr<const PoolSnapshot> HigherTotals(const PoolSnapshot& told, const PoolSnapshot& now) {
  if (!IsAnyAbove(told.iterations, now.iterations) && !IsAnyAbove(told.work_units, now.work_units)) return nullptr;
  PoolSnapshot higher;
  higher.iterations = Higher(told.iterations, now.iterations);
  higher.work_units = Higher(told.work_units, now.work_units);
  return std::make_shared<const PoolSnapshot>(std::move(higher));
}

}  // namespace

WatchReading::Update WatchReading::UpdateAfter(const std::shared_ptr<const PoolSnapshot>& told) const {
  MutexLock lock(&mutex_);
  if (after_.lock() == told) return update_;
  v1::WatchUpdate update;
  update.set_taken_at_ns(taken_.taken_at_ns);
  FillDelta(taken_.iterations, told->iterations, update.mutable_iterations_delta());
  FillDelta(taken_.work_units, told->work_units, update.mutable_work_units_delta());
  FillStates(taken_, &update);
  update.set_final(taken_.final);
  after_ = told;
  return update_ = {EncodeToSlice(update), HigherTotals(*told, taken_)};
}

}  // namespace muster
