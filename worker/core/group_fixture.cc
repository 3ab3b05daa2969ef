#include "worker/core/group_fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <thread>
#include <utility>

#include "base/clock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "worker/arena/gate.h"
#include "worker/control/spec.h"
#include "worker/meter/current_cpu.h"

namespace muster {
namespace {

constexpr uint64_t kProgressBoundNs = 20'000'000'000;
constexpr uint64_t kStopBoundNs = 2'000'000'000;
constexpr uint32_t kSamples = 1'000;

// As in the pool host's children: SIGUSR1 only interrupts.
void InstallStopSignal() {
  struct sigaction action = {};
  action.sa_handler = [](int) {};
  sigaction(SIGUSR1, &action, nullptr);
}

UniqueFd Duplicate(const UniqueFd& fd) { return UniqueFd(fcntl(fd.get(), F_DUPFD_CLOEXEC, 0)); }

// Each member has descriptors of its own, as after a fork.
Plumbing MembersOwn(const Plumbing& plumbing) {
  Plumbing own;
  for (const Plumbing::Pipe& pipe : plumbing.pipes) {
    own.pipes.push_back({Duplicate(pipe.read_end), Duplicate(pipe.write_end)});
  }
  for (const UniqueFd& fd : plumbing.descriptors) own.descriptors.push_back(Duplicate(fd));
  own.memory = plumbing.memory;
  own.memory_bytes = plumbing.memory_bytes;
  return own;
}

// Lets others run; a wait for a condition that has no wake-up of its own.
void Breathe() { usleep(1'000); }

}  // namespace

struct GroupFixture::Member {
  std::unique_ptr<MeterFixture> record;
  std::unique_ptr<Meter> meter;
  std::unique_ptr<Step> step;
  std::thread thread;
  std::atomic<bool> ended{true};
};

v1::Work ResolvedWork(const std::string& text) {
  v1::Work work;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &work)) << text;
  ResolveWork(&work);
  return work;
}

GroupFixture::GroupFixture(const std::string& work_text, uint64_t seed)
    : work_(ResolvedWork(work_text)), type_(FindWorkType(work_.type_case())), header_(new arena::Header{}) {
  InstallStopSignal();
  if (type_ == nullptr) {
    ADD_FAILURE() << "no work type for " << work_text;
    return;
  }
  EXPECT_TRUE(CheckWorkRanges(work_).ok()) << CheckWorkRanges(work_);
  EXPECT_TRUE(type_->Validate(work_).ok()) << type_->Validate(work_);
  const PlumbingRequest request = type_->Plumb(work_);
  Plumbing plumbing;
  for (uint32_t i = 0; i < request.pipes; ++i) {
    int ends[2] = {-1, -1};
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    plumbing.pipes.push_back({UniqueFd(ends[0]), UniqueFd(ends[1])});
  }
  if (request.memory_bytes > 0) {
    memory_bytes_ = request.memory_bytes;
    memory_ = static_cast<std::byte*>(
        mmap(nullptr, memory_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    plumbing.memory = memory_;
    plumbing.memory_bytes = memory_bytes_;
  }
  EXPECT_TRUE(type_->PlumbMore(work_, &plumbing).ok());
  const arena::WorkerShape shape = {
      .stream_set = type_->Streams(work_), .sample_capacity = kSamples, .migration_capacity = 16};
  const uint32_t size = type_->GroupSize(work_);
  for (uint32_t position = 0; position < size; ++position) {
    auto member = std::make_unique<Member>();
    member->record = std::make_unique<MeterFixture>(shape, seed + position, header_.get());
    member->meter = std::make_unique<Meter>(member->record->target());
    Plumbing own = MembersOwn(plumbing);
    const WorkerPlace place = {
        .worker = position, .position = position, .group_size = size, .in_thread = true, .seed = seed + position};
    auto step = type_->MakeStep(work_, place, own);
    if (step.ok()) member->step = *std::move(step);
    EXPECT_TRUE(step.ok()) << step.status();
    member->meter->Begin(MonotonicNs(), CurrentCpu());
    members_.push_back(std::move(member));
  }
}

GroupFixture::~GroupFixture() {
  StopAllNs();
  members_.clear();
  if (memory_ != nullptr) munmap(memory_, memory_bytes_);
}

Meter& GroupFixture::meter(uint32_t position) { return *members_[position]->meter; }

MeterFixture& GroupFixture::record(uint32_t position) { return *members_[position]->record; }

StepResult GroupFixture::RunOnce(uint32_t position) {
  Member& member = *members_[position];
  const StepResult result = member.step->Run(*member.meter);
  if (result != StepResult::kAbandon) member.meter->EndIteration();
  return result;
}

void GroupFixture::Start(uint32_t position) {
  Member& member = *members_[position];
  member.ended = false;
  member.thread = std::thread([this, position, &member] {
    while (!member.meter->stopping() && RunOnce(position) == StepResult::kContinue) {
    }
    member.ended = true;
  });
}

void GroupFixture::RunAll(uint64_t iterations) {
  for (uint32_t position = 0; position < size(); ++position) Start(position);
  const uint64_t deadline_ns = MonotonicNs() + kProgressBoundNs;
  for (const auto& member : members_) {
    while (member->record->live().iterations.load() < iterations && !member->ended && MonotonicNs() < deadline_ns) {
      Breathe();
    }
    EXPECT_GE(member->record->live().iterations.load(), iterations);
  }
  EXPECT_LT(StopAllNs(), kStopBoundNs);
}

bool GroupFixture::AllEnded() const {
  for (const auto& member : members_) {
    if (!member->ended) return false;
  }
  return true;
}

void GroupFixture::Signal() {
  for (const auto& member : members_) {
    if (!member->ended) pthread_kill(member->thread.native_handle(), SIGUSR1);
  }
}

uint64_t GroupFixture::StopAllNs() {
  const uint64_t start_ns = MonotonicNs();
  arena::RaiseStop(&header_->stop);
  while (!AllEnded()) {
    Signal();
    Breathe();
  }
  for (const auto& member : members_) {
    if (member->thread.joinable()) member->thread.join();
  }
  return MonotonicNs() - start_ns;
}

}  // namespace muster
