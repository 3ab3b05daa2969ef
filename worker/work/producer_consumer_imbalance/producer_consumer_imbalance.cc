// Producers and consumers of one bounded queue, at rates that do not match: one side always waits for the other.
#include <atomic>

#include "worker/core/work_type.h"
#include "worker/parts/futex.h"
#include "worker/parts/shared_queue.h"
#include "worker/parts/sleep.h"

namespace muster {
namespace {

// What a group shares. Each word counts what its side waits for; it is read before a look at the queue, so that a
// change in between ends the wait at once.
struct Exchange {
  alignas(arena::kLineBytes) std::atomic<uint32_t> items_put;
  alignas(arena::kLineBytes) std::atomic<uint32_t> items_taken;
  SharedQueue queue;
};

void Announce(std::atomic<uint32_t>& word) {
  word.fetch_add(1, std::memory_order_release);
  arena::FutexWake(&word, 1);
}

class ProducerStep final : public Step {
 public:
  ProducerStep(Exchange* exchange, uint64_t pause_ns) : exchange_(exchange), pause_ns_(pause_ns) {}

  StepResult Run(Meter& meter) override {
    while (true) {
      const uint32_t taken = exchange_->items_taken.load(std::memory_order_acquire);
      if (exchange_->queue.Push(next_item_)) break;
      if (!WaitSampled(meter, exchange_->items_taken, taken)) return StepResult::kAbandon;
    }
    ++next_item_;
    meter.AddUnits(1);
    Announce(exchange_->items_put);
    return SleepWantedFor(meter, pause_ns_) ? StepResult::kContinue : StepResult::kAbandon;
  }

 private:
  Exchange* const exchange_;
  const uint64_t pause_ns_;
  uint64_t next_item_ = 0;
};

class ConsumerStep final : public Step {
 public:
  ConsumerStep(Exchange* exchange, uint64_t consume_iters) : exchange_(exchange), consume_iters_(consume_iters) {}

  StepResult Run(Meter& meter) override {
    uint64_t item = 0;
    while (true) {
      const uint32_t put = exchange_->items_put.load(std::memory_order_acquire);
      if (exchange_->queue.Pop(&item)) break;
      if (!WaitSampled(meter, exchange_->items_put, put)) return StepResult::kAbandon;
    }
    Announce(exchange_->items_taken);
    meter.SpinBurst(consume_iters_);
    return StepResult::kContinue;
  }

 private:
  Exchange* const exchange_;
  const uint64_t consume_iters_;
};

// Of a queue that holds nothing.
class NothingStep final : public Step {
 public:
  StepResult Run(Meter&) override { return StepResult::kAbandon; }
};

class ProducerConsumerImbalanceType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "Producers and consumers whose rates do not match: one side waits for the other.",
            .units_per_iteration = "1 (consumers: 4096)",
            .group_size_rule = "producers + consumers"};
  }
  uint32_t Streams(const v1::Work&) const override { return kWakeSamples; }
  uint32_t GroupSize(const v1::Work& work) const override {
    return work.producer_consumer_imbalance().producers() + work.producer_consumer_imbalance().consumers();
  }
  PlumbingRequest Plumb(const v1::Work& work) const override {
    const uint32_t depth = work.producer_consumer_imbalance().queue_depth_target();
    return {.memory_bytes = sizeof(Exchange) - sizeof(SharedQueue) + SharedQueue::BytesFor(depth)};
  }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace& place,
                                                 Plumbing& plumbing) const override {
    const v1::ProducerConsumerImbalance& params = work.producer_consumer_imbalance();
    if (params.queue_depth_target() == 0) return std::make_unique<NothingStep>();
    Exchange* const exchange = SharedAt<Exchange>(plumbing);
    exchange->queue.set_depth(params.queue_depth_target());
    if (place.position >= params.producers()) {
      return std::make_unique<ConsumerStep>(exchange, params.consume_iters());
    }
    return std::make_unique<ProducerStep>(exchange, 1'000'000'000 / params.produce_rate_hz());
  }
};

MUSTER_WORK_TYPE(kProducerConsumerImbalance, ProducerConsumerImbalanceType);

}  // namespace
}  // namespace muster
