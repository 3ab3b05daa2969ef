// What this worker binary can do, for the daemon and for everybody who asks it.
#ifndef MUSTER_WORKER_CORE_CATALOGUE_H_
#define MUSTER_WORKER_CORE_CATALOGUE_H_

#include "absl/status/status.h"
#include "muster/v1/catalogue.pb.h"

namespace muster {

// All work types that are linked in, in the order of their arms: parameters, defaults, ranges and descriptions from the
// descriptor of muster.v1.Work and its comments, the rest from the types themselves. A parameter within a parameter has
// a dotted name ("program.stop_signal", "phases[].spin.duration").
v1::Catalogue BuildCatalogue();

// Writes it to a descriptor as a serialised muster.v1.Catalogue: the answer to `muster-worker --catalogue`.
absl::Status WriteCatalogue(int fd);

}  // namespace muster

#endif  // MUSTER_WORKER_CORE_CATALOGUE_H_
