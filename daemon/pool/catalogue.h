// What the worker binary says of its work types.
#ifndef MUSTER_DAEMON_POOL_CATALOGUE_H_
#define MUSTER_DAEMON_POOL_CATALOGUE_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "base/deadline.h"
#include "muster/v1/catalogue.pb.h"
#include "muster/v1/work.pb.h"

namespace muster {

// Immutable.
class Catalogue {
 public:
  // Runs `worker_binary --catalogue` and reads its answer. The child is reaped before it returns, so nobody may reap
  // unknown children meanwhile. Errors name the binary.
  static absl::StatusOr<Catalogue> Read(const std::string& worker_binary, Deadline deadline);

  explicit Catalogue(v1::Catalogue catalogue);

  const v1::Catalogue& proto() const { return proto_; }

  // Streams that the set work type may fill, as bits 1 << arena::Stream. INVALID_ARGUMENT: the binary does not have the
  // type.
  absl::StatusOr<uint32_t> StreamsOf(const v1::Work& work) const;

 private:
  v1::Catalogue proto_;
  std::map<int, uint32_t> streams_;  // by arm of Work
};

}  // namespace muster

#endif  // MUSTER_DAEMON_POOL_CATALOGUE_H_
