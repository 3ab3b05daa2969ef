#include "daemon/systemd/self_check.h"

#include <pthread.h>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/make_thread.h"
#include "base/status_macros.h"

namespace muster {

absl::StatusOr<std::unique_ptr<SelfCheck>> SelfCheck::Start(Parts parts) {
  std::unique_ptr<SelfCheck> check(new SelfCheck(std::move(parts)));
  ASSIGN_OR_RETURN(check->thread_, MakeThread("the self check", [raw = check.get()] { raw->Run(); }));
  pthread_setname_np(check->thread_.native_handle(), "self check");
  return check;
}

SelfCheck::~SelfCheck() {
  ending_.Set();
  if (thread_.joinable()) thread_.join();
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
