#include "worker/meter/meter_fixture.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace muster {

MeterFixture::MeterFixture(const arena::WorkerShape& shape, uint64_t seed, arena::Header* header)
    : own_header_(header == nullptr ? new arena::Header{} : nullptr),
      header_(header == nullptr ? own_header_.get() : header) {
  const size_t bytes = arena::kControlBytes + arena::BulkBytes(shape);
  memory_ = static_cast<std::byte*>(aligned_alloc(arena::kPageBytes, bytes));
  memset(memory_, 0, bytes);
  target_.header = header_;
  target_.control = reinterpret_cast<arena::Control*>(memory_);
  target_.live = &arena::Arena::LiveIn(*target_.control, 0);
  target_.bulk = arena::TakeApart(memory_ + arena::kControlBytes, shape);
  target_.shape = shape;
  target_.seed = seed;
}

MeterFixture::~MeterFixture() { free(memory_); }

arena::Core MeterFixture::core() const {
  arena::Core core = {};
  const uint64_t published = target_.control->cores_published.load();
  if (published > 0) memcpy(&core, target_.control->cores[(published - 1) % 2], sizeof(core));
  return core;
}

std::vector<uint64_t> MeterFixture::Samples(arena::Stream stream) const {
  const arena::Store& from = store(stream);
  const uint64_t count = std::min<uint64_t>(from.head->total.load(), target_.shape.sample_capacity);
  std::vector<uint64_t> samples;
  for (uint64_t i = 0; i < count; ++i) samples.push_back(from.samples[i].load());
  return samples;
}

}  // namespace muster
