#include "worker/work/testing/work_types_doc.h"

#include "absl/strings/str_cat.h"

namespace muster {
namespace {

std::string GroupText(const v1::WorkTypeInfo& info) {
  if (!info.group_size_rule().empty()) return absl::StrCat("groups of ", info.group_size_rule());
  return info.group_size() == 1 ? "no groups" : absl::StrCat("groups of ", info.group_size());
}

std::string StreamText(const v1::WorkTypeInfo& info) {
  std::string text;
  for (const int stream : info.streams()) {
    const char* const name = stream == v1::WAKE ? "wake" : stream == v1::TIMER ? "timer" : "cost";
    absl::StrAppend(&text, text.empty() ? "" : ", ", name);
  }
  return text.empty() ? "none" : text;
}

std::string ModeText(const v1::WorkTypeInfo& info) {
  return info.clone_modes_size() == 2 ? "fork, thread" : "fork only";
}

std::string Code(const std::string& text) { return text.empty() ? "" : absl::StrCat("`", text, "`"); }

std::string RangeText(const v1::ParameterInfo& parameter) {
  if (!parameter.has_min() && !parameter.has_max()) return "";
  return absl::StrCat(parameter.min(), " to ", parameter.max());
}

}  // namespace

std::string DocFacts(const v1::WorkTypeInfo& info) {
  return absl::StrCat("Field `", info.field(), "` · ", GroupText(info),
                      " · units per iteration: ", info.units_per_iteration(), " · samples: ", StreamText(info), " · ",
                      ModeText(info), "\n");
}

std::string DocParameters(const v1::WorkTypeInfo& info) {
  if (info.parameters().empty()) return "";
  std::string table = "| parameter | default | unit | range | meaning |\n|---|---|---|---|---|\n";
  for (const v1::ParameterInfo& parameter : info.parameters()) {
    absl::StrAppend(&table, "| `", parameter.name(), "` | ", Code(parameter.default_value()), " | ", parameter.unit(),
                    " | ", RangeText(parameter), " | ", parameter.description(), " |\n");
  }
  return table;
}

}  // namespace muster
