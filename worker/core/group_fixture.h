// One group instance of a work type in a test: its members run as threads, driven as the runner drives them.
#ifndef MUSTER_WORKER_CORE_GROUP_FIXTURE_H_
#define MUSTER_WORKER_CORE_GROUP_FIXTURE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "muster/v1/work.pb.h"
#include "worker/core/work_type.h"
#include "worker/meter/meter.h"
#include "worker/meter/meter_fixture.h"

namespace muster {

// A work from its text form, with its defaults filled in.
v1::Work ResolvedWork(const std::string& text);

// Owns plumbing, records and steps of one instance. Ends its threads when destroyed.
class GroupFixture {
 public:
  // `work_text` as "pipe_io { burst_iters: 4 }". Fails the test when the type is unknown or refuses the work.
  explicit GroupFixture(const std::string& work_text, uint64_t seed = 1);
  GroupFixture(const GroupFixture&) = delete;
  GroupFixture& operator=(const GroupFixture&) = delete;
  ~GroupFixture();

  uint32_t size() const { return static_cast<uint32_t>(members_.size()); }
  const v1::Work& work() const { return work_; }
  const WorkType& type() const { return *type_; }
  Meter& meter(uint32_t position);
  MeterFixture& record(uint32_t position);

  // One iteration of a member in the caller's thread, counted as the runner counts it.
  StepResult RunOnce(uint32_t position);

  // Runs all members in threads until each has counted `iterations`, then stops them and waits until all have ended.
  // Fails the test when they have not counted so many within 20 s, or did not end within 2 s of the stop.
  void RunAll(uint64_t iterations);

  // Starts a thread for one member, which runs until its step ends or the stop.
  void Start(uint32_t position);
  // Writes the stop word, signals the running members until they have ended. Returns the time that took.
  uint64_t StopAllNs();

 private:
  struct Member;

  void Signal();
  bool AllEnded() const;

  v1::Work work_;
  const WorkType* type_ = nullptr;
  std::byte* memory_ = nullptr;
  size_t memory_bytes_ = 0;
  std::unique_ptr<arena::Header> header_;
  std::vector<std::unique_ptr<Member>> members_;
};

}  // namespace muster

#endif  // MUSTER_WORKER_CORE_GROUP_FIXTURE_H_
