// Messages of any type with random content in every field, for tests of what is encoded by hand.
#ifndef MUSTER_DAEMON_SERVICE_RANDOM_MESSAGE_H_
#define MUSTER_DAEMON_SERVICE_RANDOM_MESSAGE_H_

#include <random>

#include "google/protobuf/message.h"

namespace muster {

// Fills every field, also those that are added to the type some day: of a oneof the last, of a map or repeated field up
// to five elements. Messages within messages end at `depth`.
void FillRandomly(std::mt19937_64* random, int depth, google::protobuf::Message* message);

}  // namespace muster

#endif  // MUSTER_DAEMON_SERVICE_RANDOM_MESSAGE_H_
