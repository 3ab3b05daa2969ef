// Public messages as proto3 JSON.
#ifndef MUSTER_TOOLS_CLI_PROTO_JSON_H_
#define MUSTER_TOOLS_CLI_PROTO_JSON_H_

#include <string>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"

namespace muster {

// One line without a newline. Zeros are written out; only what is optional and absent is left out, so that "zero" and
// "not measured" stay two things. 64-bit numbers are strings, as proto3 JSON has it.
absl::StatusOr<std::string> ToJson(const google::protobuf::Message& message);

}  // namespace muster

#endif  // MUSTER_TOOLS_CLI_PROTO_JSON_H_
