#include "tests/guest/guest_fixture.h"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/deadline.h"
#include "google/protobuf/text_format.h"
#include "tools/vm/kernel/vsock_device.h"
#include "tools/vm/run/prepare.h"

namespace muster {
namespace {

constexpr absl::Duration kBootLimit = absl::Seconds(120);
constexpr absl::Duration kPatience = absl::Seconds(60);

void Say(const std::string& line) { std::cerr << line << "\n"; }

absl::StatusOr<vm::GuestOptions> Prepare(std::vector<std::string> flags) {
  // Emulation, so that the guest is the same everywhere.
  for (const char* flag : {"--accel=tcg", "--init=tools/vm/init/muster-guest-init", "--musterd=daemon/musterd-static",
                           "--muster-worker=worker/muster-worker"}) {
    flags.push_back(flag);
  }
  const absl::StatusOr<vm::Flags> parsed = vm::Flags::Parse(flags, vm::GuestFlags());
  if (!parsed.ok()) return parsed.status();
  return vm::PrepareGuest(*parsed, Say);
}

absl::StatusOr<std::unique_ptr<vm::Guest>> BootGuest(const std::vector<std::string>& flags) {
  const absl::StatusOr<vm::GuestOptions> options = Prepare(flags);
  if (!options.ok()) return options.status();
  absl::StatusOr<std::unique_ptr<vm::Guest>> guest = vm::Guest::Launch(*options);
  if (!guest.ok()) return guest;
  const Deadline deadline = Deadline::After(kBootLimit);
  std::optional<vm::GuestFailure> failure = (*guest)->WaitForInit(deadline);
  if (!failure.has_value()) failure = (*guest)->WaitForDaemon(deadline);
  if (failure.has_value()) return absl::InternalError(failure->message);
  const vm::BootTimes times = (*guest)->boot_times();
  Say(absl::StrCat("booted: QEMU ", absl::FormatDuration(times.qemu), ", kernel ", absl::FormatDuration(times.kernel),
                   ", init ", absl::FormatDuration(times.init), ", musterd ", absl::FormatDuration(times.daemon), "; ",
                   Describe((*guest)->transport())));
  return guest;
}

}  // namespace

std::unique_ptr<vm::Guest> GuestTest::guest_;

v1::WorkloadSpec ParseSpec(const std::string& text) {
  v1::WorkloadSpec spec;
  if (!google::protobuf::TextFormat::ParseFromString(text, &spec)) ADD_FAILURE() << "this is no WorkloadSpec: " << text;
  return spec;
}

double CpuShare(const v1::WorkerReport& report) {
  return static_cast<double>(report.cpu_time_ns()) / static_cast<double>(std::max<uint64_t>(1, report.wall_time_ns()));
}

void GuestTest::Boot(const std::vector<std::string>& flags) {
  absl::StatusOr<std::unique_ptr<vm::Guest>> guest = BootGuest(flags);
  if (guest.ok()) {
    guest_ = *std::move(guest);
  } else {
    ADD_FAILURE() << guest.status();
  }
}

void GuestTest::TearDownTestSuite() {
  if (guest_ == nullptr) return;
  Say(absl::StrCat("powered off in ", absl::FormatDuration(guest_->PowerOff(Deadline::After(absl::Seconds(20))))));
  guest_.reset();
}

void GuestTest::SetUp() {
  ASSERT_NE(guest_, nullptr) << "there is no guest";
  absl::StatusOr<Client> client = Client::Connect(guest_->address(), {.connect_timeout = kPatience});
  ASSERT_TRUE(client.ok()) << client.status();
  client_ = *std::move(client);
}

void GuestTest::TearDown() {
  client_.reset();
  if (guest_ == nullptr) return;
  const std::optional<vm::GuestFailure> failure = guest_->FindFailure();
  EXPECT_FALSE(failure.has_value()) << failure->message;
  if (HasFailure()) Say(absl::StrCat("the guest's console:\n", guest_->ConsoleTail(40)));
}

WorkloadHandle GuestTest::Spawn(const std::string& spec) {
  absl::StatusOr<WorkloadHandle> pool = client_->Spawn(ParseSpec(spec));
  if (!pool.ok()) {
    ADD_FAILURE() << "Spawn: " << pool.status();
    std::cerr << guest_->ConsoleTail(40) << "\n";
    // Without a pool the test cannot go on, and a handle cannot be made up.
    TearDownTestSuite();
    abort();
  }
  return *std::move(pool);
}

void GuestTest::Run(const WorkloadHandle& pool, absl::Duration duration) {
  const Deadline end = Deadline::After(duration);
  const absl::Status watched =
      pool.Watch(std::min(duration, absl::Milliseconds(200)), [&](const v1::WatchUpdate&) { return !end.Expired(); },
                 {.timeout = duration + kPatience});
  EXPECT_TRUE(watched.ok()) << watched;
}

std::vector<v1::WorkerReport> GuestTest::RunSpec(const std::string& spec, absl::Duration duration) {
  WorkloadHandle pool = Spawn(spec);
  const absl::Status started = pool.Start();
  EXPECT_TRUE(started.ok()) << started;
  Run(pool, duration);
  absl::StatusOr<CollectedReports> collected = std::move(pool).StopAndCollect({.call = {.timeout = kPatience}});
  if (!collected.ok()) {
    ADD_FAILURE() << "StopAndCollect: " << collected.status();
    return std::vector<v1::WorkerReport>(ParseSpec(spec).num_workers());
  }
  return std::move(collected->reports);
}

}  // namespace muster
