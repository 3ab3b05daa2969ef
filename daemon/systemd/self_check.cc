#include "daemon/systemd/self_check.h"

#include <pthread.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"

namespace muster {

SelfCheck::SelfCheck(Parts parts) : parts_(std::move(parts)), thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), "self check");
}

SelfCheck::~SelfCheck() {
  ending_.Set();
  thread_.join();
}

void SelfCheck::Run() {
  do {
    const absl::Status status = parts_.probe(Deadline::After(parts_.period));
    if (status.ok()) {
      parts_.went_well();
    } else {
      LogWarning(absl::StrCat("self check: ", status.message()));
    }
  } while (!ending_.Wait(Deadline::After(parts_.period)));
}

}  // namespace muster
