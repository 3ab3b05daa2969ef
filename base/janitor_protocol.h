// What the daemon and its janitor agree on.
//
// The daemon starts "<worker binary> --janitor <instance>" with the descriptors below, and keeps the other end of the
// socket. The janitor says that it is ready, deaf to signals from then on. A good-bye to it means that all has been
// removed: it ends at once. An end of file without one is the daemon's death.
#ifndef MUSTER_BASE_JANITOR_PROTOCOL_H_
#define MUSTER_BASE_JANITOR_PROTOCOL_H_

#include "absl/time/time.h"

namespace muster {

inline constexpr char kJanitorFlag[] = "--janitor";
inline constexpr int kJanitorSocketFd = 3;
// Directory of BASE, see instance_tree.h.
inline constexpr int kJanitorBaseFd = 4;
// Directory of the instance, with the lock: it stays locked until daemon and janitor are both gone.
inline constexpr int kJanitorInstanceFd = 5;
inline constexpr char kJanitorReady = 'r';
inline constexpr char kJanitorGoodBye = 'b';
// Within this time of the daemon's death all is removed.
inline constexpr absl::Duration kJanitorSweepTime = absl::Seconds(2);

}  // namespace muster

#endif  // MUSTER_BASE_JANITOR_PROTOCOL_H_
