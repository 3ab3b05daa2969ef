#include "tests/guest/guest_fixture.h"

#include <stdlib.h>

#include <algorithm>
#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/cpu_set.h"
#include "base/deadline.h"
#include "base/status_macros.h"
#include "google/protobuf/text_format.h"
#include "tools/vm/kernel/kernel_store.h"
#include "tools/vm/kernel/vsock_device.h"
#include "tools/vm/run/prepare.h"

namespace muster {
namespace {

constexpr absl::Duration kBootLimit = absl::Minutes(5);
constexpr absl::Duration kPeriod = absl::Milliseconds(100);

std::unique_ptr<vm::Guest>& TheGuest() {
  static auto* const guest = new std::unique_ptr<vm::Guest>();
  return *guest;
}

// Why there can be none.
absl::Status& NoTransport() {
  static auto* const status = new absl::Status();
  return *status;
}

void Say(const std::string& line) { std::cerr << line << "\n"; }

absl::StatusOr<vm::GuestOptions> Prepare(std::vector<std::string> flags) {
  // The last one counts.
  flags.insert(flags.begin(), "--init=tools/vm/init/muster-guest-init");
  for (const char* flag : {"--accel=tcg", "--musterd=daemon/musterd-static", "--muster-worker=worker/muster-worker",
                           "--daemon-arg=--collect-deadline=2m", "--daemon-arg=--spawn-timeout=2m"}) {
    flags.push_back(flag);
  }
  // `tools/test --long` runs the programs once more on each of several kernels.
  const char* const suite = getenv("MUSTER_GUEST_SUITE");
  if (suite != nullptr) flags.insert(flags.begin(), absl::StrCat("--suite=", suite));
  ASSIGN_OR_RETURN(const vm::Flags parsed, vm::Flags::Parse(flags, vm::GuestFlags()));
  return vm::PrepareGuest(parsed, Say);
}

size_t CountWorkers(const v1::WorkloadSpec& spec) {
  size_t workers = spec.has_num_workers() ? spec.num_workers() : 1;
  for (const v1::GroupSpec& group : spec.composed()) workers += group.num_workers();
  return workers;
}

}  // namespace

absl::Status CheckTransport(const std::vector<std::string>& flags) {
  ASSIGN_OR_RETURN(const vm::Flags parsed, vm::Flags::Parse(flags, vm::GuestFlags()));
  if (parsed.Get("transport") != "vhost-device-vsock") return absl::OkStatus();
  ASSIGN_OR_RETURN(const vm::KernelOptions options, vm::KernelOptionsFrom(parsed));
  return vm::FetchVsockDevice(options).status();
}

absl::StatusOr<std::unique_ptr<vm::Guest>> BootGuest(std::vector<std::string> flags) {
  ASSIGN_OR_RETURN(const vm::GuestOptions options, Prepare(std::move(flags)));
  ASSIGN_OR_RETURN(std::unique_ptr<vm::Guest> guest, vm::Guest::Launch(options));
  const Deadline deadline = Deadline::After(kBootLimit);
  std::optional<vm::GuestFailure> failure = guest->WaitForInit(deadline);
  if (!failure.has_value()) failure = guest->WaitForDaemon(deadline);
  if (failure.has_value()) return absl::InternalError(failure->message);
  const vm::BootTimes times = guest->boot_times();
  Say(absl::StrCat("booted: QEMU ", absl::FormatDuration(times.qemu), ", kernel ", absl::FormatDuration(times.kernel),
                   ", init ", absl::FormatDuration(times.init), ", musterd ", absl::FormatDuration(times.daemon), "; ",
                   Describe(guest->transport())));
  return guest;
}

void SharedGuest::SetUp() {
  NoTransport() = CheckTransport(flags_);
  if (!NoTransport().ok()) return;
  absl::StatusOr<std::unique_ptr<vm::Guest>> guest = BootGuest(flags_);
  if (guest.ok()) TheGuest() = *std::move(guest);
  // Every test then fails by itself.
  if (!guest.ok()) ADD_FAILURE() << "no guest: " << guest.status();
}

void SharedGuest::TearDown() {
  if (TheGuest() == nullptr) return;
  Say(absl::StrCat("powered off in ", absl::FormatDuration(TheGuest()->PowerOff(Deadline::After(absl::Seconds(20))))));
  TheGuest().reset();
}

v1::WorkloadSpec ParseSpec(const std::string& text) {
  v1::WorkloadSpec spec;
  if (!google::protobuf::TextFormat::ParseFromString(text, &spec)) ADD_FAILURE() << "this is no WorkloadSpec: " << text;
  return spec;
}

std::string OneOnEachCpu(const std::string& cpus, const std::string& group) {
  const absl::StatusOr<CpuSet> set = CpuSet::Parse(cpus);
  if (!set.ok()) ADD_FAILURE() << set.status();
  std::string spec;
  for (const uint32_t cpu : set.value_or(CpuSet()).Ids()) {
    const std::string worker = absl::StrCat(group, " affinity { exact { cpus: '", cpu, "' } } ");
    absl::StrAppend(&spec, spec.empty() ? worker : absl::StrCat("composed { num_workers: 1 ", worker, "} "));
  }
  return spec;
}

bool AllWorked(const std::vector<uint64_t>& iterations) {
  return std::count(iterations.begin(), iterations.end(), 0u) == 0;
}

double CpuShare(const v1::WorkerReport& report) {
  return static_cast<double>(report.cpu_time_ns()) / static_cast<double>(std::max<uint64_t>(1, report.wall_time_ns()));
}

vm::Guest& GuestTest::guest() { return *TheGuest(); }

void GuestTest::SetUp() {
  if (!NoTransport().ok()) GTEST_SKIP() << "no vsock device can be had: " << NoTransport();
  ASSERT_NE(TheGuest(), nullptr) << "there is no guest";
  ClientOptions options = options_;
  options.connect_timeout = kPatience;
  options.lease.on_event = [this](const v1::LeaseEvent& event) {
    if (event.opened().reattached()) ++reattached_;
  };
  absl::StatusOr<Client> client = Client::Connect(guest().address(), std::move(options));
  ASSERT_TRUE(client.ok()) << client.status();
  client_ = *std::move(client);
}

void GuestTest::TearDown() {
  client_.reset();
  if (TheGuest() == nullptr) return;
  EXPECT_EQ(CountPools(), 0);
  const std::optional<vm::GuestFailure> failure = guest().FindFailure();
  EXPECT_FALSE(failure.has_value()) << failure->message;
  if (HasFailure()) Say(absl::StrCat("the guest's console:\n", guest().ConsoleTail(40)));
}

void GuestTest::WaitUntil(const WorkloadHandle& pool, const Reached& reached) {
  std::vector<uint64_t> totals(pool.workers().size());
  const absl::Status watched = pool.Watch(kPeriod,
                                          [&](const v1::WatchUpdate& update) {
                                            for (size_t worker = 0; worker < totals.size(); ++worker)
                                              totals[worker] += update.iterations_delta(worker);
                                            return !reached(totals);
                                          },
                                          {.timeout = kPatience});
  EXPECT_TRUE(watched.ok()) << watched;
}

void GuestTest::RunFor(const WorkloadHandle& pool, absl::Duration least) {
  const absl::Duration end = GuestTime() + least;
  WaitUntil(pool, [&](const std::vector<uint64_t>& iterations) { return GuestTime() >= end && AllWorked(iterations); });
}

GuestTest::Reached GuestTest::PassedHere(absl::Duration duration) {
  return [duration, end = std::optional<Deadline>()](const std::vector<uint64_t>&) mutable {
    if (!end.has_value()) end = Deadline::After(duration);
    return end->Expired();
  };
}

std::optional<WorkloadHandle> GuestTest::StartSpec(const std::string& spec) {
  absl::StatusOr<WorkloadHandle> pool = client_->Spawn(ParseSpec(spec));
  EXPECT_TRUE(pool.ok()) << "Spawn: " << pool.status();
  if (!pool.ok()) return std::nullopt;
  const absl::Status started = pool->Start();
  EXPECT_TRUE(started.ok()) << started;
  return *std::move(pool);
}

void GuestTest::RunProgram(const std::string& program) {
  std::optional<WorkloadHandle> pool =
      StartSpec(absl::StrCat("work { custom { label: 'program' program { ", program, " } } }"));
  ASSERT_TRUE(pool.has_value());
  // It ends by itself, and its pool with it.
  const absl::Status watched = pool->Watch(
      kPeriod, [](const v1::WatchUpdate& update) { return update.states(0) < v1::FINISHED; }, {.timeout = kPatience});
  EXPECT_TRUE(watched.ok()) << watched;
  const auto collected = (*std::move(pool)).StopAndCollect();
  ASSERT_TRUE(collected.ok()) << collected.status();
  const v1::WorkerReport& report = collected->reports[0];
  EXPECT_TRUE(report.kernel_accounting().has_exit_code() && report.kernel_accounting().exit_code() == 0)
      << report.ShortDebugString();
}

std::vector<v1::WorkerReport> GuestTest::RunSpec(const std::string& spec, absl::Duration least) {
  std::optional<WorkloadHandle> pool = StartSpec(spec);
  if (pool.has_value()) RunFor(*pool, least);
  return Finish(std::move(pool), spec);
}

std::vector<v1::WorkerReport> GuestTest::RunSpec(const std::string& spec, const Reached& reached) {
  std::optional<WorkloadHandle> pool = StartSpec(spec);
  if (pool.has_value()) WaitUntil(*pool, reached);
  return Finish(std::move(pool), spec);
}

std::vector<v1::WorkerReport> GuestTest::Finish(std::optional<WorkloadHandle> pool, const std::string& spec) {
  const size_t workers = CountWorkers(ParseSpec(spec));
  if (!pool.has_value()) return std::vector<v1::WorkerReport>(workers);
  absl::StatusOr<CollectedReports> collected = (*std::move(pool)).StopAndCollect({.call = {.timeout = kPatience}});
  EXPECT_TRUE(collected.ok()) << "StopAndCollect: " << collected.status();
  if (!collected.ok()) return std::vector<v1::WorkerReport>(workers);
  EXPECT_EQ(collected->reports.size(), workers);
  collected->reports.resize(workers);
  return std::move(collected->reports);
}

absl::Duration GuestTest::GuestTime() {
  const std::optional<uint64_t> used_ns = ProcessCpuNs(guest().qemu_pid());
  EXPECT_TRUE(used_ns.has_value());
  return absl::Nanoseconds(used_ns.value_or(0));
}

bool GuestTest::IsReattachedInTime() {
  const Deadline deadline = Deadline::After(kPatience);
  while (reattached() == 0 && client().lease_status().ok() && !deadline.Expired()) {
    // Calls go on meanwhile, each over the connection as it is.
    client().ServerInfo({.timeout = kPatience}).status().IgnoreError();
  }
  return reattached() > 0;
}

int GuestTest::CountPools() {
  const absl::StatusOr<Operator> connected = Operator::Connect(guest().address(), {.timeout = kPatience});
  const auto pools = connected.ok() ? connected->ListPools({.timeout = kPatience}) : connected.status();
  EXPECT_TRUE(pools.ok()) << pools.status();
  return pools.ok() ? pools->pools_size() : -1;
}

}  // namespace muster
