// A daemon that starts when it is first needed.
#ifndef MUSTER_TESTS_BENCH_LAZY_BENCH_H_
#define MUSTER_TESTS_BENCH_LAZY_BENCH_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "tests/bench/stand.h"

namespace muster::bench {

// Shared by the parties of an experiment. Not thread-safe.
class LazyBench {
 public:
  explicit LazyBench(Programs programs, std::vector<std::string> flags = {}, std::vector<std::string> environment = {})
      : programs_(std::move(programs)), flags_(std::move(flags)), environment_(std::move(environment)) {}

  absl::StatusOr<Bench*> Get() {
    if (bench_ == nullptr) {
      ASSIGN_OR_RETURN(bench_, Bench::Open(programs_, flags_, environment_));
    }
    return bench_.get();
  }

  // Ends the daemon; the next Get starts another.
  void Close() { bench_.reset(); }

 private:
  const Programs programs_;
  const std::vector<std::string> flags_;
  const std::vector<std::string> environment_;
  std::unique_ptr<Bench> bench_;
};

}  // namespace muster::bench

#endif  // MUSTER_TESTS_BENCH_LAZY_BENCH_H_
