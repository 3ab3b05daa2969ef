#include "worker/parts/engine.h"

#include <signal.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/cpu_set.h"
#include "base/make_thread.h"
#include "worker/parts/sleep.h"

namespace muster {
namespace {

constexpr uint64_t kTickNs = 100'000'000;

}  // namespace

void EngineMeter::Offer(const std::vector<Sample>& samples) {
  MutexLock lock(&mutex_);
  for (const Sample& sample : samples) {
    if (sample.stream == arena::kWake) {
      meter_->WakeSample(sample.ns);
    } else {
      meter_->CostSample(sample.ns);
    }
  }
}

absl::Status EngineThreads::Start(std::function<void()> body) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  absl::StatusOr<std::thread> thread =
      MakeThread(absl::StrCat("part ", threads_.size(), " of a worker"), std::move(body));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (thread.ok()) threads_.push_back(*std::move(thread));
  return thread.status();
}

void EngineThreads::Join() {
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

StepResult EngineStep::Run(Meter& meter) {
  if (shared_ == nullptr) {
    shared_ = std::make_unique<EngineMeter>(&meter);
    const absl::Status status = Begin(shared_.get(), &threads_);
    if (!status.ok()) meter.SetNoopReason(status.message());
  }
  const uint64_t before_ns = MonotonicNs();
  const bool whole = SleepWanted(meter, before_ns, before_ns + kTickNs);
  if (!whole) {
    threads_.Join();
    meter.EndWait(before_ns, MonotonicNs());
  }
  meter.AddUnits(shared_->TakeUnits());
  return whole ? StepResult::kContinue : StepResult::kAbandon;
}

uint32_t OwnCpuCount() {
  const absl::StatusOr<CpuSet> cpus = GetAffinity(0);
  return cpus.ok() ? std::max<uint32_t>(1, cpus->Count()) : 1;
}

}  // namespace muster
