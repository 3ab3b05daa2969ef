#include "daemon/service/watch_source.h"

#include <algorithm>
#include <utility>

#include "base/error_detail.h"
#include "base/status_macros.h"
#include "daemon/spec/duration.h"

namespace muster {
namespace {

constexpr absl::Duration kMinPeriod = absl::Milliseconds(10);
constexpr absl::Duration kMaxPeriod = absl::Hours(1);
constexpr absl::Duration kDefaultPeriod = absl::Seconds(1);

absl::StatusOr<absl::Duration> PeriodOf(const v1::WatchRequest& request) {
  if (!request.has_period()) return kDefaultPeriod;
  ASSIGN_OR_RETURN(const int64_t ns, DurationNs(request.period(), "period"));
  const absl::Duration period = absl::Nanoseconds(ns);
  if (period < kMinPeriod || period > kMaxPeriod) {
    return FieldError("period", "must be 10 ms to 1 h; absent, it is 1 s");
  }
  return period;
}

}  // namespace

class WatchSource::Due : public std::enable_shared_from_this<Due> {
 public:
  // What has become due since the last call of Take.
  struct Readings {
    uint32_t count = 0;
    // The last one there will be, taken while the pool was still there.
    std::optional<PoolSnapshot> final;
  };

  Due(TimerQueue* timers, std::chrono::nanoseconds period, Waker wake)
      : timers_(timers), period_(period), wake_(std::move(wake)), next_(std::chrono::steady_clock::now()) {}

  // The first reading is due now.
  void Start() {
    MutexLock lock(&mutex_);
    count_ = 1;
    Arm();
  }

  void Stop() {
    // Destroyed after the lock is let go: that waits for a Tick under way.
    TimerQueue::Timer last;
    MutexLock lock(&mutex_);
    stopped_ = true;
    last = std::move(timer_);
  }

  // The workers have ended, or the pool is gone; `final` is their last reading where there is one.
  void End(std::optional<PoolSnapshot> final) {
    {
      MutexLock lock(&mutex_);
      ++count_;
      if (final.has_value() && final->final) final_ = std::move(final);
    }
    wake_();
  }

  Readings Take() {
    MutexLock lock(&mutex_);
    return {std::exchange(count_, 0), std::exchange(final_, std::nullopt)};
  }

 private:
  void Tick() {
    {
      MutexLock lock(&mutex_);
      if (stopped_) return;
      ++count_;
      Arm();
    }
    wake_();
  }

  // On a grid that does not drift; instants that have passed already are left out.
  void Arm() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto now = std::chrono::steady_clock::now();
    next_ += period_;
    if (next_ <= now) next_ += period_ * ((now - next_) / period_ + 1);
    // The timer that is replaced has called this, or was never set: its reset does not wait.
    timer_ = timers_->At(next_, [weak = weak_from_this()] {
      if (const std::shared_ptr<Due> due = weak.lock()) due->Tick();
    });
  }

  TimerQueue* const timers_;
  const std::chrono::nanoseconds period_;
  const Waker wake_;
  Mutex mutex_;
  std::chrono::steady_clock::time_point next_ ABSL_GUARDED_BY(mutex_);
  TimerQueue::Timer timer_ ABSL_GUARDED_BY(mutex_);
  uint32_t count_ ABSL_GUARDED_BY(mutex_) = 0;
  std::optional<PoolSnapshot> final_ ABSL_GUARDED_BY(mutex_);
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

WatchSource::WatchSource(const v1::WatchRequest* request, WatchParts parts)
    : request_(request), parts_(std::move(parts)) {}

WatchSource::~WatchSource() {
  in_hub_.reset();
  if (due_ != nullptr) due_->Stop();
}

absl::Status WatchSource::Begin(const CallContext&, Waker wake) {
  ASSIGN_OR_RETURN(const absl::Duration period, PeriodOf(*request_));
  ASSIGN_OR_RETURN(const PoolSnapshot now, parts_.read(request_->pool_id()));
  RETURN_IF_ERROR(ledger_.Open(*request_, now));
  due_ = std::make_shared<Due>(parts_.timers, absl::ToChronoNanoseconds(period), std::move(wake));
  in_hub_ = parts_.hub->Add(request_->pool_id(),
                            [weak = std::weak_ptr(due_), read = parts_.read, pool_id = request_->pool_id()] {
                              const std::shared_ptr<Due> due = weak.lock();
                              if (due == nullptr) return;
                              absl::StatusOr<PoolSnapshot> last = read(pool_id);
                              due->End(last.ok() ? std::optional(*std::move(last)) : std::nullopt);
                            });
  due_->Start();
  return absl::OkStatus();
}

absl::StatusOr<StreamStep> WatchSource::Next(v1::WatchUpdate* update) {
  if (over_) return StreamStep::kEnd;
  Due::Readings readings = due_->Take();
  if (readings.count == 0) return StreamStep::kWait;
  if (!readings.final.has_value()) {
    ASSIGN_OR_RETURN(readings.final, parts_.read(request_->pool_id()));
  }
  ledger_.Advance(*readings.final, readings.count - 1, update);
  over_ = readings.final->final;
  return StreamStep::kMessage;
}

}  // namespace muster
