#include "daemon/service/random_message.h"

#include <string>

#include "google/protobuf/descriptor.h"

namespace muster {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Small, large and negative ones, whose varints have all lengths.
uint64_t Number(std::mt19937_64* random) { return (*random)() >> (*random)() % 64; }

// Sets a field, or adds an element to a repeated one: they differ in the function's name only.
#define MUSTER_FILL(Type, value) \
  field->is_repeated() ? reflection.Add##Type(message, field, value) : reflection.Set##Type(message, field, value)

void FillField(std::mt19937_64* random, int depth, const FieldDescriptor* field, Message* message) {
  const google::protobuf::Reflection& reflection = *message->GetReflection();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return MUSTER_FILL(Int32, static_cast<int32_t>(Number(random)));
    case FieldDescriptor::CPPTYPE_INT64:
      return MUSTER_FILL(Int64, static_cast<int64_t>(Number(random)));
    case FieldDescriptor::CPPTYPE_UINT32:
      return MUSTER_FILL(UInt32, static_cast<uint32_t>(Number(random)));
    case FieldDescriptor::CPPTYPE_UINT64:
      return MUSTER_FILL(UInt64, Number(random));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return MUSTER_FILL(Double, static_cast<double>(Number(random)));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return MUSTER_FILL(Float, static_cast<float>(Number(random)));
    case FieldDescriptor::CPPTYPE_BOOL:
      return MUSTER_FILL(Bool, (*random)() % 2 == 0);
    case FieldDescriptor::CPPTYPE_ENUM:
      return MUSTER_FILL(EnumValue, static_cast<int>((*random)() % field->enum_type()->value_count()));
    case FieldDescriptor::CPPTYPE_STRING:
      return MUSTER_FILL(String, std::string((*random)() % 200, 's'));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (depth > 0) {
        FillRandomly(
            random, depth - 1,
            field->is_repeated() ? reflection.AddMessage(message, field) : reflection.MutableMessage(message, field));
      }
  }
}

#undef MUSTER_FILL

}  // namespace

void FillRandomly(std::mt19937_64* random, int depth, Message* message) {
  for (int i = 0; i < message->GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* const field = message->GetDescriptor()->field(i);
    const uint64_t elements = field->is_repeated() ? (*random)() % 6 : 1;
    for (uint64_t n = 0; n < elements; ++n) FillField(random, depth, field, message);
  }
}

}  // namespace muster
