#include "worker/core/catalogue.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "base/file_io.h"
#include "google/protobuf/duration.pb.h"
#include "muster/v1/options.pb.h"
#include "muster/v1/work.pb.h"
#include "worker/control/spec.h"
#include "worker/core/work_comments.h"
#include "worker/core/work_type.h"

namespace muster {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

std::string TypeName(const FieldDescriptor& field) {
  const std::string repeated = field.is_repeated() ? "repeated " : "";
  if (field.enum_type() != nullptr) return absl::StrCat(repeated, "enum ", field.enum_type()->name());
  if (field.message_type() != nullptr) return absl::StrCat(repeated, field.message_type()->name());
  return absl::StrCat(repeated, field.type_name());
}

class ParameterLister {
 public:
  ParameterLister(const WorkComments& comments, v1::WorkTypeInfo* info) : comments_(comments), info_(info) {}

  // Work types do not contain themselves, so this ends.
  void List(const Descriptor& type, const std::string& prefix) {
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor& field = *type.field(i);
      const std::string name = absl::StrCat(prefix, field.name());
      Add(field, name);
      if (field.message_type() == nullptr || field.message_type() == google::protobuf::Duration::descriptor()) continue;
      List(*field.message_type(), absl::StrCat(name, field.is_repeated() ? "[]." : "."));
    }
  }

 private:
  void Add(const FieldDescriptor& field, const std::string& name) {
    const v1::Rule& rule = field.options().GetExtension(v1::rule);
    v1::ParameterInfo* const parameter = info_->add_parameters();
    parameter->set_name(name);
    parameter->set_type(TypeName(field));
    parameter->set_default_value(rule.default_value());
    parameter->set_unit(rule.unit());
    if (rule.has_min()) parameter->set_min(rule.min());
    if (rule.has_max()) parameter->set_max(rule.max());
    parameter->set_description(comments_.Of(field));
  }

  const WorkComments& comments_;
  v1::WorkTypeInfo* const info_;
};

void AddStreams(uint32_t streams, v1::WorkTypeInfo* info) {
  if ((streams & kWakeSamples) != 0) info->add_streams(v1::WAKE);
  if ((streams & kCostSamples) != 0) info->add_streams(v1::ITERATION_COST);
  if ((streams & kTimerSamples) != 0) info->add_streams(v1::TIMER);
}

void Describe(const WorkType& type, const v1::Work& defaults, v1::WorkTypeInfo* info) {
  const WorkTypeDescription description = type.Describe();
  info->set_summary(description.summary);
  info->set_group_size(type.GroupSize(defaults));
  info->set_group_size_rule(description.group_size_rule);
  info->set_units_per_iteration(description.units_per_iteration);
  for (const Need& need : description.needs) {
    v1::NeedInfo* const target = info->add_needs();
    target->set_need(need.need);
    target->set_met(need.met);
    target->set_otherwise(need.otherwise);
  }
  for (const std::string& function : description.functions) info->add_functions(function);
  AddStreams(type.Streams(defaults) | type.StreamsOfSomeParameters(), info);
  info->add_clone_modes(v1::FORK);
  if (description.runs_in_threads) info->add_clone_modes(v1::THREAD);
}

}  // namespace

v1::Catalogue BuildCatalogue() {
  const WorkComments comments;
  v1::Catalogue catalogue;
  const google::protobuf::OneofDescriptor& arms = *v1::Work::descriptor()->FindOneofByName("type");
  for (int i = 0; i < arms.field_count(); ++i) {
    const FieldDescriptor* const arm = arms.field(i);
    const WorkType* const type = FindWorkType(static_cast<v1::Work::TypeCase>(arm->number()));
    if (type == nullptr) continue;
    v1::Work defaults;
    defaults.GetReflection()->MutableMessage(&defaults, arm);
    ResolveWork(&defaults);
    v1::WorkTypeInfo* const info = catalogue.add_work_types();
    info->set_name(arm->message_type()->name());
    info->set_field(arm->name());
    ParameterLister(comments, info).List(*arm->message_type(), "");
    Describe(*type, defaults, info);
  }
  return catalogue;
}

absl::Status WriteCatalogue(int fd) { return WriteAll(fd, BuildCatalogue().SerializeAsString()); }

}  // namespace muster
