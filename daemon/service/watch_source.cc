#include "daemon/service/watch_source.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/clock.h"
#include "base/error_detail.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "daemon/service/encoding.h"
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

// When readings are due: at once, and then at every multiple of the period, so that watches of one period are due
// together. The timer runs only while the source waits.
class WatchSource::Due : public std::enable_shared_from_this<Due> {
 public:
  // What has become due since the last call of Take.
  struct Readings {
    uint32_t count = 0;
    // When the last of them did.
    uint64_t due_ns = 0;
    // The last one there will be, taken while the pool was still there.
    std::shared_ptr<const WatchReading> final;
  };

  Due(TimerQueue* timers, std::chrono::nanoseconds period, Waker wake)
      : timers_(timers), period_(period), wake_(std::move(wake)) {
    const auto now = std::chrono::steady_clock::now();
    count_ = 1;
    due_ns_ = Ns(now);
    next_ = now - now.time_since_epoch() % period_ + period_;
  }

  void Stop() {
    // Destroyed after the lock is let go: that waits for a wake under way.
    TimerQueue::Timer last;
    MutexLock lock(&mutex_);
    last = std::move(timer_);
  }

  // The workers have ended, or the pool is gone; `final` is their last reading where there is one.
  void End(std::shared_ptr<const WatchReading> final) {
    {
      MutexLock lock(&mutex_);
      ++count_;
      due_ns_ = MonotonicNs();
      if (final != nullptr && final->taken().final) final_ = std::move(final);
    }
    wake_();
  }

  // Wakes the source when there is nothing yet.
  Readings Take() {
    TimerQueue::Timer last;
    MutexLock lock(&mutex_);
    Count();
    if (count_ == 0) {
      last = std::move(timer_);
      timer_ = timers_->At(next_, [weak = weak_from_this()] {
        if (const std::shared_ptr<Due> due = weak.lock()) due->wake_();
      });
    }
    return {std::exchange(count_, 0), due_ns_, std::exchange(final_, nullptr)};
  }

 private:
  using TimePoint = TimerQueue::TimePoint;

  static uint64_t Ns(TimePoint time) { return std::chrono::nanoseconds(time.time_since_epoch()).count(); }

  void Count() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto late = std::chrono::steady_clock::now() - next_;
    if (late < late.zero()) return;
    const auto passed = late / period_ + 1;
    count_ += static_cast<uint32_t>(passed);
    next_ += passed * period_;
    due_ns_ = Ns(next_ - period_);
  }

  TimerQueue* const timers_;
  const std::chrono::nanoseconds period_;
  const Waker wake_;
  Mutex mutex_;
  TimePoint next_ ABSL_GUARDED_BY(mutex_);
  TimerQueue::Timer timer_ ABSL_GUARDED_BY(mutex_);
  uint32_t count_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t due_ns_ ABSL_GUARDED_BY(mutex_) = 0;
  std::shared_ptr<const WatchReading> final_ ABSL_GUARDED_BY(mutex_);
};

WatchSource::WatchSource(const grpc::ByteBuffer* request, WatchParts parts)
    : encoded_request_(*request), parts_(std::move(parts)) {}

WatchSource::~WatchSource() {
  in_hub_.reset();
  if (due_ != nullptr) due_->Stop();
}

absl::Status WatchSource::Begin(const CallContext&, Waker wake) {
  RETURN_IF_ERROR(Decode(encoded_request_, &request_));
  ASSIGN_OR_RETURN(const absl::Duration period, PeriodOf(request_));
  ASSIGN_OR_RETURN(const std::shared_ptr<const WatchReading> now, parts_.read(request_.pool_id(), MonotonicNs()));
  RETURN_IF_ERROR(ledger_.Open(request_, now->taken()));
  due_ = std::make_shared<Due>(parts_.timers, absl::ToChronoNanoseconds(period), std::move(wake));
  in_hub_ = parts_.hub->Add(request_.pool_id(),
                            [weak = std::weak_ptr(due_), read = parts_.read, pool_id = request_.pool_id()] {
                              const std::shared_ptr<Due> due = weak.lock();
                              if (due == nullptr) return;
                              absl::StatusOr<std::shared_ptr<const WatchReading>> last = read(pool_id, MonotonicNs());
                              due->End(last.ok() ? *std::move(last) : nullptr);
                            });
  return absl::OkStatus();
}

absl::StatusOr<StreamStep> WatchSource::Next(grpc::ByteBuffer* update) {
  if (over_) return StreamStep::kEnd;
  Due::Readings readings = due_->Take();
  if (readings.count == 0) return StreamStep::kWait;
  if (readings.final != nullptr) {
    reading_ = std::move(readings.final);
  } else {
    // No reading twice: the next one may have become due while the last was being made.
    const uint64_t since_ns = reading_ == nullptr ? 0 : reading_->taken().taken_at_ns + 1;
    ASSIGN_OR_RETURN(reading_, parts_.read(request_.pool_id(), std::max(readings.due_ns, since_ns)));
  }
  *update = ledger_.Advance(reading_, readings.count - 1);
  over_ = reading_->taken().final;
  return StreamStep::kMessage;
}

}  // namespace muster
