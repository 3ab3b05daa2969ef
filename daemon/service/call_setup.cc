#include "daemon/service/call_setup.h"

#include <grpc/grpc_security_constants.h>

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/error_detail.h"

namespace muster {
namespace {

// The connection's peer, and over TLS the name in its certificate.
std::string NameOf(const CallSetup& setup) {
  std::string name = setup.peers->Name(setup.context->peer());
  for (const grpc::string_ref& common_name :
       setup.context->auth_context()->FindPropertyValues(GRPC_X509_CN_PROPERTY_NAME)) {
    absl::StrAppend(&name, " \"", absl::CHexEscape({common_name.data(), common_name.size()}), "\"");
  }
  return name;
}

}  // namespace

CallContext MakeContext(const CallSetup& setup, std::stop_token cancelled) {
  const absl::Duration asked = absl::FromChrono(setup.context->deadline()) - absl::Now();
  return {Deadline::After(std::min(asked, setup.limit)), std::move(cancelled), NameOf(setup)};
}

absl::Status TooManyCalls(const Executor& executor) {
  return LimitError("max_queued_calls", static_cast<int64_t>(executor.options().max_queued),
                    "too many calls wait for a thread; try again");
}

}  // namespace muster
