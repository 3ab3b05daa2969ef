// Retry keys.
#ifndef MUSTER_CLIENT_REQUEST_ID_H_
#define MUSTER_CLIENT_REQUEST_ID_H_

#include <string>

namespace muster {

// 32 hexadecimal digits from the kernel's random source: one per mutating call, the same in each retry of it.
std::string NewRequestId();

}  // namespace muster

#endif  // MUSTER_CLIENT_REQUEST_ID_H_
