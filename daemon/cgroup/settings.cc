#include "daemon/cgroup/settings.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/error_detail.h"
#include "base/status_macros.h"

namespace muster {
namespace {

// Kernel bounds: cpu.max takes 1 ms to 1 s of period, and quotas up to 2^44 - 1 us; pids.max up to PID_MAX_LIMIT.
constexpr int64_t kMinCpuTimeUs = 1000;
constexpr int64_t kMaxPeriodUs = 1'000'000;
constexpr int64_t kMaxQuotaUs = (int64_t{1} << 44) - 1;
constexpr int64_t kDefaultPeriodUs = 100'000;
constexpr uint64_t kMaxPids = 4'194'304;
constexpr uint64_t kMinMemoryBytes = 4096;
constexpr uint64_t kMaxMemoryBytes = INT64_MAX;

// Collects writes and the first error, so that each setting is one line below.
class Resolver {
 public:
  Resolver(absl::string_view field, bool threaded) : prefix_(absl::StrCat(field, ".settings.")), threaded_(threaded) {}

  void Set(absl::string_view field, absl::string_view file, absl::string_view value) {
    const absl::string_view controller = file.substr(0, file.find('.'));
    if (threaded_ && (controller == "memory" || controller == "io")) {
      return Refuse(field, absl::StrCat("a THREADED cgroup takes cpu, cpuset and pids settings only; set ", file,
                                        " at its THREADED_ROOT"));
    }
    writes_.push_back({prefix_ + std::string(field), std::string(controller), std::string(file), std::string(value)});
  }

  void Number(absl::string_view field, absl::string_view file, uint64_t value, std::pair<uint64_t, uint64_t> range) {
    if (value < range.first || value > range.second) {
      return Refuse(field, absl::StrCat(value, " is not within ", range.first, " to ", range.second));
    }
    Set(field, file, absl::StrCat(value));
  }

  void Ids(absl::string_view field, absl::string_view file, absl::string_view text, const CpuSet& existing) {
    const absl::StatusOr<CpuSet> ids = CpuSet::Parse(text);
    if (!ids.ok()) return Refuse(field, ids.status().message());
    if (ids->empty()) return Refuse(field, "is present and empty; leave it out to inherit the parent's");
    if (!ids->IsSubsetOf(existing)) {
      return Refuse(field,
                    absl::StrCat("\"", text, "\" holds some that are not online; online are ", existing.ToString()));
    }
    Set(field, file, ids->ToString());
  }

  // Microseconds; 0 after an error.
  int64_t Microseconds(absl::string_view field, const google::protobuf::Duration& duration, int64_t max_us) {
    const absl::Duration value = absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
    if (value < absl::Microseconds(kMinCpuTimeUs) || value > absl::Microseconds(max_us)) {
      Refuse(field, absl::StrCat(absl::FormatDuration(value), " is not within 1ms to ",
                                 absl::FormatDuration(absl::Microseconds(max_us))));
      return 0;
    }
    if (value % absl::Microseconds(1) != absl::ZeroDuration()) {
      Refuse(field, absl::StrCat(absl::FormatDuration(value), " is no whole number of microseconds"));
      return 0;
    }
    return absl::ToInt64Microseconds(value);
  }

  void Refuse(absl::string_view field, absl::string_view why) {
    if (error_.ok()) error_ = FieldError(absl::StrCat(prefix_, field), why);
  }

  absl::StatusOr<std::vector<SettingWrite>> Finish() && {
    RETURN_IF_ERROR(error_);
    return std::move(writes_);
  }

 private:
  const std::string prefix_;
  const bool threaded_;
  absl::Status error_;
  std::vector<SettingWrite> writes_;
};

void ResolveCpuMax(const v1::CgroupSettings& settings, Resolver* resolver) {
  if (!settings.has_cpu_max_quota() && !settings.has_cpu_max_period()) return;
  const int64_t period = settings.has_cpu_max_period()
                             ? resolver->Microseconds("cpu_max_period", settings.cpu_max_period(), kMaxPeriodUs)
                             : kDefaultPeriodUs;
  if (!settings.has_cpu_max_quota()) return resolver->Set("cpu_max_period", "cpu.max", absl::StrCat("max ", period));
  const int64_t quota = resolver->Microseconds("cpu_max_quota", settings.cpu_max_quota(), kMaxQuotaUs);
  resolver->Set("cpu_max_quota", "cpu.max", absl::StrCat(quota, " ", period));
}

}  // namespace

absl::StatusOr<std::vector<SettingWrite>> ResolveSettings(const v1::CgroupSpec& spec, absl::string_view field,
                                                          const SettingLimits& limits) {
  const v1::CgroupSettings& settings = spec.settings();
  Resolver resolver(field, spec.has_kind() && spec.kind() == v1::THREADED);
  // Memory nodes first: a cpuset without any refuses tasks.
  if (settings.has_cpuset_mems())
    resolver.Ids("cpuset_mems", "cpuset.mems", settings.cpuset_mems(), limits.memory_nodes);
  if (settings.has_cpuset_cpus())
    resolver.Ids("cpuset_cpus", "cpuset.cpus", settings.cpuset_cpus(), limits.online_cpus);
  if (settings.has_cpu_weight()) resolver.Number("cpu_weight", "cpu.weight", settings.cpu_weight(), {1, 10'000});
  ResolveCpuMax(settings, &resolver);
  if (settings.has_memory_max_bytes()) {
    resolver.Number("memory_max_bytes", "memory.max", settings.memory_max_bytes(), {kMinMemoryBytes, kMaxMemoryBytes});
  }
  if (settings.has_memory_high_bytes()) {
    resolver.Number("memory_high_bytes", "memory.high", settings.memory_high_bytes(),
                    {kMinMemoryBytes, kMaxMemoryBytes});
  }
  if (settings.has_io_weight()) resolver.Number("io_weight", "io.weight", settings.io_weight(), {1, 10'000});
  if (settings.has_pids_max()) resolver.Number("pids_max", "pids.max", settings.pids_max(), {1, kMaxPids});
  return std::move(resolver).Finish();
}

}  // namespace muster
