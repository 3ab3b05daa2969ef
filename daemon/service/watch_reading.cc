#include "daemon/service/watch_reading.h"

#include <algorithm>
#include <vector>

#include "daemon/service/convert.h"
#include "daemon/service/encoding.h"
#include "muster/v1/muster.pb.h"

namespace muster {
namespace {

void FillDelta(const std::vector<uint64_t>& now, const std::vector<uint64_t>& told,
               google::protobuf::RepeatedField<uint64_t>* delta) {
  delta->Resize(static_cast<int>(now.size()), 0);
  for (size_t worker = 0; worker < now.size(); ++worker) {
    (*delta)[static_cast<int>(worker)] = std::max(now[worker], told[worker]) - told[worker];
  }
}

}  // namespace

grpc::Slice WatchReading::UpdateAfter(const std::shared_ptr<const PoolSnapshot>& told) const {
  MutexLock lock(&mutex_);
  if (after_.lock() == told) return update_;
  v1::WatchUpdate update;
  update.set_taken_at_ns(taken_.taken_at_ns);
  FillDelta(taken_.iterations, told->iterations, update.mutable_iterations_delta());
  FillDelta(taken_.work_units, told->work_units, update.mutable_work_units_delta());
  FillStates(taken_, &update);
  update.set_final(taken_.final);
  after_ = told;
  return update_ = EncodeToSlice(update);
}

}  // namespace muster
