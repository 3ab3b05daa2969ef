#include "tests/support/json_object.h"

#include <gtest/gtest.h>

#include "google/protobuf/util/json_util.h"

namespace muster {

google::protobuf::Struct ParseJsonObject(const std::string& text) {
  google::protobuf::Struct object;
  const auto parsed = google::protobuf::util::JsonStringToMessage(text, &object);
  EXPECT_TRUE(parsed.ok()) << parsed.ToString() << "\n" << text;
  return object;
}

int JsonFieldCount(const google::protobuf::Struct& object) {
  return object.GetReflection()->FieldSize(object, object.GetDescriptor()->FindFieldByName("fields"));
}

const google::protobuf::Value& JsonField(const google::protobuf::Struct& object, absl::string_view name) {
  const google::protobuf::FieldDescriptor* const fields = object.GetDescriptor()->FindFieldByName("fields");
  const google::protobuf::Reflection& reflection = *object.GetReflection();
  for (int i = 0; i < reflection.FieldSize(object, fields); ++i) {
    const google::protobuf::Message& entry = reflection.GetRepeatedMessage(object, fields, i);
    if (entry.GetReflection()->GetString(entry, fields->message_type()->map_key()) != name) continue;
    return static_cast<const google::protobuf::Value&>(
        entry.GetReflection()->GetMessage(entry, fields->message_type()->map_value()));
  }
  ADD_FAILURE() << "no field " << name << " in " << object.ShortDebugString();
  return google::protobuf::Value::default_instance();
}

}  // namespace muster
