// JSON that a program printed, for tests to look into.
#ifndef MUSTER_TESTS_SUPPORT_JSON_OBJECT_H_
#define MUSTER_TESTS_SUPPORT_JSON_OBJECT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "google/protobuf/struct.pb.h"

namespace muster {

// All through reflection, which is the library's code: protobuf's map does not work under the thread sanitizer where
// half of it is ours, and instrumented.

// The object that the text is; anything else fails the test.
google::protobuf::Struct ParseJsonObject(const std::string& text);

int JsonFieldCount(const google::protobuf::Struct& object);

// A field of the object; one that is not there fails the test and is null. Lives as long as the object.
const google::protobuf::Value& JsonField(const google::protobuf::Struct& object, absl::string_view name);

}  // namespace muster

#endif  // MUSTER_TESTS_SUPPORT_JSON_OBJECT_H_
