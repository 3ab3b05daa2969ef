// Random specs: Validate never crashes, an INVALID_ARGUMENT always names a field, and what Validate accepts Resolve can
// work on.
#include <gtest/gtest.h>

#include <random>

#include "base/error_detail.h"
#include "daemon/spec/resolve.h"
#include "daemon/spec/validate.h"
#include "google/protobuf/message.h"

namespace muster {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}

  // Sets each field with probability 1/2 to 1/4, deeper ones more rarely.
  void Fill(Message* message, int depth) {
    const auto* type = message->GetDescriptor();
    for (int i = 0; i < type->field_count(); ++i) {
      if (random_() % (2 + depth) != 0) continue;
      SetField(message, type->field(i), depth);
    }
  }

 private:
  std::string Text() {
    static const char* const kTexts[] = {"",    "0", "0-3", "1-2",   "0,9", "3-1", "..",
                                         "a/b", "/", "cg0", "70000", "A=1", "0-"};
    return random_() % 8 == 0 ? std::string(random_() % 40, '\0') : kTexts[random_() % std::size(kTexts)];
  }

  int64_t Number() {
    static const int64_t kNumbers[] = {0, 1, 2, 3, 20, 98, 1024, 100'000, 1'000'000'001, -1, -20, INT64_MAX, INT64_MIN};
    return kNumbers[random_() % std::size(kNumbers)];
  }

  double Real() {
    static const double kReals[] = {0, 0.5, 1, 3.5, 1e300, -1, std::numeric_limits<double>::quiet_NaN()};
    return kReals[random_() % std::size(kReals)];
  }

  void SetField(Message* message, const FieldDescriptor* field, int depth) {
    const Reflection* reflection = message->GetReflection();
    if (field->is_repeated()) {
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE)
        Fill(reflection->AddMessage(message, field), depth + 1);
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) reflection->AddString(message, field, Text());
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM) reflection->AddEnumValue(message, field, random_() % 5);
      return;
    }
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return Fill(reflection->MutableMessage(message, field), depth + 1);
      case FieldDescriptor::CPPTYPE_STRING:
        return reflection->SetString(message, field, Text());
      case FieldDescriptor::CPPTYPE_ENUM:
        return reflection->SetEnumValue(message, field, random_() % 5);
      case FieldDescriptor::CPPTYPE_UINT32:
        return reflection->SetUInt32(message, field, Number());
      case FieldDescriptor::CPPTYPE_INT32:
        return reflection->SetInt32(message, field, Number());
      case FieldDescriptor::CPPTYPE_UINT64:
        return reflection->SetUInt64(message, field, Number());
      case FieldDescriptor::CPPTYPE_INT64:
        return reflection->SetInt64(message, field, Number());
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return reflection->SetDouble(message, field, Real());
      case FieldDescriptor::CPPTYPE_BOOL:
        return reflection->SetBool(message, field, random_() % 2);
      default:
        return;
    }
  }

  std::mt19937_64 random_;
};

TEST(ValidateRandom, NoSpecCrashesAndEveryRefusalNamesItsCause) {
  Limits limits;
  Topology topology;
  topology.online = CpuSet::Parse("0-3").value();
  topology.cores = {CpuSet::Parse("0-1").value(), CpuSet::Parse("2-3").value()};
  topology.llcs = {topology.online};
  const ResolveContext context = {&limits, &topology,
                                  [&](const std::string&) -> absl::StatusOr<CpuSet> { return topology.online; }, 7};
  int accepted = 0;
  for (uint64_t seed = 0; seed < 30'000; ++seed) {
    Generator generator(seed);
    v1::WorkloadSpec spec;
    generator.Fill(&spec, static_cast<int>(seed % 12));
    const absl::Status status = Validate(spec, {&limits, &topology, seed % 2 == 0});
    if (status.ok()) {
      ++accepted;
      const auto resolved = Resolve(spec, context);
      if (!resolved.ok()) continue;
      EXPECT_EQ(Validate(resolved->spec, {&limits, &topology, true}), absl::OkStatus()) << spec.ShortDebugString();
    } else if (absl::IsInvalidArgument(status)) {
      EXPECT_TRUE(FieldOf(status).has_value()) << status;
    } else {
      EXPECT_TRUE(LimitOf(status).has_value() || PreconditionOf(status).has_value()) << status;
    }
  }
  EXPECT_GT(accepted, 500) << "the generator must reach Resolve";
}

}  // namespace
}  // namespace muster
