#include "worker/control/spec.h"

#include <limits>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "muster/v1/options.pb.h"

namespace muster {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::Duration;
using ::google::protobuf::EnumDescriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::OneofDescriptor;
using ::google::protobuf::Reflection;

// Wide enough for every integer type of protobuf at once.
using Wide = __int128;

const v1::Rule& RuleOf(const FieldDescriptor& field) { return field.options().GetExtension(v1::rule); }

bool IsDuration(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && field.message_type() == Duration::descriptor();
}

// ---- Defaults ----

int64_t ParseInt(const std::string& text) {
  int64_t value = 0;
  return absl::SimpleAtoi(text, &value) ? value : 0;
}

void SetDuration(int64_t ns, Message* duration) {
  Duration* target = static_cast<Duration*>(duration);
  target->set_seconds(ns / 1'000'000'000);
  target->set_nanos(static_cast<int32_t>(ns % 1'000'000'000));
}

// The texts come from our own descriptors; a test reads every one of them back.
void SetDefault(const FieldDescriptor* field, const std::string& text, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  double number = 0;
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection.SetInt32(message, field, static_cast<int32_t>(ParseInt(text)));
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection.SetUInt32(message, field, static_cast<uint32_t>(ParseInt(text)));
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection.SetInt64(message, field, ParseInt(text));
    case FieldDescriptor::CPPTYPE_UINT64:
      return reflection.SetUInt64(message, field, static_cast<uint64_t>(ParseInt(text)));
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.SetBool(message, field, text == "true");
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection.SetString(message, field, text);
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection.SetEnum(message, field, field->enum_type()->FindValueByName(text));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      if (absl::SimpleAtod(text, &number)) reflection.SetDouble(message, field, number);
      return;
    case FieldDescriptor::CPPTYPE_FLOAT:
      if (absl::SimpleAtod(text, &number)) reflection.SetFloat(message, field, static_cast<float>(number));
      return;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (IsDuration(*field)) SetDuration(ParseInt(text), reflection.MutableMessage(message, field));
      return;
  }
}

void ResolveFields(Message* message) {
  const Reflection& reflection = *message->GetReflection();
  const Descriptor& type = *message->GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor* field = type.field(i);
    const std::string& text = RuleOf(*field).default_value();
    if (!text.empty() && field->has_presence() && !reflection.HasField(*message, field)) {
      SetDefault(field, text, message);
    }
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || IsDuration(*field)) continue;
    if (field->is_repeated()) {
      for (int k = 0; k < reflection.FieldSize(*message, field); ++k) {
        ResolveFields(reflection.MutableRepeatedMessage(message, field, k));
      }
    } else if (reflection.HasField(*message, field)) {
      ResolveFields(reflection.MutableMessage(message, field));
    }
  }
}

// ---- Ranges ----

std::string WideText(Wide value, bool is_duration) {
  const Wide magnitude = value < 0 ? -value : value;
  if (is_duration && magnitude <= std::numeric_limits<int64_t>::max()) {
    return absl::FormatDuration(absl::Nanoseconds(static_cast<int64_t>(value)));
  }
  return value < 0 ? absl::StrCat("-", static_cast<uint64_t>(magnitude)) : absl::StrCat(static_cast<uint64_t>(value));
}

// Checks one number against the rule's bounds. Durations are not negative unless their rule says so.
absl::Status CheckBounds(const FieldDescriptor& field, Wide value, const std::string& path) {
  const v1::Rule& rule = RuleOf(field);
  const bool is_duration = IsDuration(field);
  const bool has_min = rule.has_min() || is_duration;
  if (has_min && value < rule.min()) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": ", WideText(value, is_duration), " is below its minimum ", WideText(rule.min(), is_duration),
        rule.has_max()
            ? absl::StrCat("; choose ", WideText(rule.min(), is_duration), " to ", WideText(rule.max(), is_duration))
            : ""));
  }
  if (rule.has_max() && value > rule.max()) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": ", WideText(value, is_duration), " is above its maximum ", WideText(rule.max(), is_duration),
        has_min
            ? absl::StrCat("; choose ", WideText(rule.min(), is_duration), " to ", WideText(rule.max(), is_duration))
            : ""));
  }
  return absl::OkStatus();
}

absl::Status CheckEnum(const EnumDescriptor& type, int value, const std::string& path) {
  if (value != 0 && type.FindValueByNumber(value) != nullptr) return absl::OkStatus();
  std::string names;
  for (int i = 0; i < type.value_count(); ++i) {
    if (type.value(i)->number() != 0) absl::StrAppend(&names, names.empty() ? "" : ", ", type.value(i)->name());
  }
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", value, value == 0 ? " (unspecified)" : "", " is no ",
                                                 type.name(), "; choose one of ", names));
}

absl::Status CheckDuration(const FieldDescriptor& field, const Duration& duration, const std::string& path) {
  constexpr int64_t kMaxSeconds = 315'576'000'000;  // of google.protobuf.Duration
  const int64_t seconds = duration.seconds();
  const int32_t nanos = duration.nanos();
  if (seconds > kMaxSeconds || seconds < -kMaxSeconds || nanos > 999'999'999 || nanos < -999'999'999 ||
      (seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", seconds, " s and ", nanos,
                                                   " ns are no valid duration; give both the same sign, and "
                                                   "less than a second of ns"));
  }
  return CheckBounds(field, Wide{seconds} * 1'000'000'000 + nanos, path);
}

// One value of a field, wherever it came from.
class Value {
 public:
  // `index` is -1 for a singular field.
  Value(const Message& message, const FieldDescriptor& field, int index)
      : message_(message), reflection_(*message.GetReflection()), field_(field), index_(index) {}

  Wide Integer() const {
    switch (field_.cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32:
        return index_ < 0 ? reflection_.GetInt32(message_, &field_)
                          : reflection_.GetRepeatedInt32(message_, &field_, index_);
      case FieldDescriptor::CPPTYPE_UINT32:
        return index_ < 0 ? reflection_.GetUInt32(message_, &field_)
                          : reflection_.GetRepeatedUInt32(message_, &field_, index_);
      case FieldDescriptor::CPPTYPE_INT64:
        return index_ < 0 ? reflection_.GetInt64(message_, &field_)
                          : reflection_.GetRepeatedInt64(message_, &field_, index_);
      case FieldDescriptor::CPPTYPE_UINT64:
        return index_ < 0 ? reflection_.GetUInt64(message_, &field_)
                          : reflection_.GetRepeatedUInt64(message_, &field_, index_);
      default:
        return 0;
    }
  }
  int Enum() const {
    return index_ < 0 ? reflection_.GetEnumValue(message_, &field_)
                      : reflection_.GetRepeatedEnumValue(message_, &field_, index_);
  }
  const Message& Sub() const {
    return index_ < 0 ? reflection_.GetMessage(message_, &field_)
                      : reflection_.GetRepeatedMessage(message_, &field_, index_);
  }

 private:
  const Message& message_;
  const Reflection& reflection_;
  const FieldDescriptor& field_;
  const int index_;
};

absl::Status CheckMessage(const Message& message, const std::string& path);

absl::Status CheckValue(const FieldDescriptor& field, const Value& value, const std::string& path) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_INT64:
    case FieldDescriptor::CPPTYPE_UINT64:
      return CheckBounds(field, value.Integer(), path);
    case FieldDescriptor::CPPTYPE_ENUM:
      return CheckEnum(*field.enum_type(), value.Enum(), path);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (IsDuration(field)) return CheckDuration(field, static_cast<const Duration&>(value.Sub()), path);
      return CheckMessage(value.Sub(), path);
    default:
      return absl::OkStatus();
  }
}

absl::Status CheckOneofs(const Message& message, const std::string& prefix) {
  const Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.real_oneof_decl_count(); ++i) {
    const OneofDescriptor& oneof = *type.oneof_decl(i);
    if (message.GetReflection()->HasOneof(message, &oneof)) continue;
    std::string names;
    for (int k = 0; k < oneof.field_count(); ++k) absl::StrAppend(&names, k == 0 ? "" : ", ", oneof.field(k)->name());
    return absl::InvalidArgumentError(absl::StrCat(prefix, oneof.name(), ": none is set; choose one of ", names));
  }
  return absl::OkStatus();
}

absl::Status CheckMessage(const Message& message, const std::string& path) {
  const std::string prefix = path.empty() ? "" : absl::StrCat(path, ".");
  if (absl::Status oneofs = CheckOneofs(message, prefix); !oneofs.ok()) return oneofs;
  std::vector<const FieldDescriptor*> present;
  message.GetReflection()->ListFields(message, &present);
  for (const FieldDescriptor* field : present) {
    const std::string name = absl::StrCat(prefix, field->name());
    const int count = field->is_repeated() ? message.GetReflection()->FieldSize(message, field) : 1;
    for (int k = 0; k < count; ++k) {
      const bool repeated = field->is_repeated();
      const Value value(message, *field, repeated ? k : -1);
      absl::Status status = CheckValue(*field, value, repeated ? absl::StrCat(name, "[", k, "]") : name);
      if (!status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

v1::GroupSpec PrimaryGroup(const v1::WorkloadSpec& spec) {
  v1::GroupSpec group;
  if (spec.has_num_workers()) group.set_num_workers(spec.num_workers());
  if (spec.has_work()) *group.mutable_work() = spec.work();
  if (spec.has_affinity()) *group.mutable_affinity() = spec.affinity();
  if (spec.has_sched_policy()) *group.mutable_sched_policy() = spec.sched_policy();
  if (spec.has_mem_policy()) *group.mutable_mem_policy() = spec.mem_policy();
  *group.mutable_mpol_flags() = spec.mpol_flags();
  if (spec.has_nice()) group.set_nice(spec.nice());
  if (spec.has_comm()) group.set_comm(spec.comm());
  if (spec.has_uid()) group.set_uid(spec.uid());
  if (spec.has_gid()) group.set_gid(spec.gid());
  if (spec.has_numa_node()) group.set_numa_node(spec.numa_node());
  if (spec.has_cgroup()) group.set_cgroup(spec.cgroup());
  if (spec.has_workers_pct()) group.set_workers_pct(spec.workers_pct());
  return group;
}

}  // namespace

v1::GroupSpec GroupOf(const v1::WorkloadSpec& spec, uint32_t group_idx) {
  return group_idx == 0 ? PrimaryGroup(spec) : spec.composed(static_cast<int>(group_idx) - 1);
}

std::string GroupPath(uint32_t group_idx) {
  return group_idx == 0 ? "" : absl::StrCat("composed[", group_idx - 1, "].");
}

void ResolveWork(v1::Work* work) { ResolveFields(work); }

absl::Status CheckWorkRanges(const v1::Work& work) { return CheckMessage(work, ""); }

std::string WorkName(const v1::Work& work) {
  if (work.has_custom() && !work.custom().label().empty()) return work.custom().label();
  const FieldDescriptor* arm = v1::Work::descriptor()->FindFieldByNumber(work.type_case());
  return arm == nullptr ? "" : arm->message_type()->name();
}

}  // namespace muster
