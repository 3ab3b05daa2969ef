#include "tools/cli/flags.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"

namespace muster {
namespace {

absl::StatusOr<FlagSpec> FindSpec(const std::string& name, const std::vector<FlagSpec>& specs) {
  const auto found = std::find_if(specs.begin(), specs.end(), [&](const FlagSpec& spec) { return spec.name == name; });
  if (found == specs.end()) return absl::InvalidArgumentError(absl::StrCat("unknown flag --", name));
  return *found;
}

}  // namespace

absl::StatusOr<Flags> Flags::Parse(const std::vector<std::string>& args, const std::vector<FlagSpec>& specs) {
  Flags flags;
  for (size_t i = 0; i < args.size(); ++i) {
    if (args[i] == "--") {
      flags.positional_.insert(flags.positional_.end(), args.begin() + i + 1, args.end());
      break;
    }
    if (args[i].rfind("--", 0) != 0) {
      flags.positional_.push_back(args[i]);
      continue;
    }
    const size_t equals = args[i].find('=');
    const std::string name = args[i].substr(2, equals == std::string::npos ? equals : equals - 2);
    ASSIGN_OR_RETURN(const FlagSpec spec, FindSpec(name, specs));
    std::string value;
    if (equals != std::string::npos) {
      if (spec.value_name.empty()) return absl::InvalidArgumentError(absl::StrCat("--", name, " takes no value"));
      value = args[i].substr(equals + 1);
    } else if (!spec.value_name.empty()) {
      if (++i == args.size())
        return absl::InvalidArgumentError(absl::StrCat("--", name, " needs a value (", spec.value_name, ")"));
      value = args[i];
    }
    flags.values_[name].push_back(value);
  }
  return flags;
}

std::string Flags::Get(absl::string_view name, absl::string_view otherwise) const {
  const auto found = values_.find(std::string(name));
  return found == values_.end() ? std::string(otherwise) : found->second.back();
}

std::vector<std::string> Flags::All(absl::string_view name) const {
  const auto found = values_.find(std::string(name));
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

absl::StatusOr<int64_t> Flags::GetInt(absl::string_view name, int64_t otherwise, Range range) const {
  if (!Has(name)) return otherwise;
  int64_t value = 0;
  if (!absl::SimpleAtoi(Get(name), &value) || value < range.min || value > range.max) {
    return absl::InvalidArgumentError(
        absl::StrCat("--", name, "=", Get(name), ": a number from ", range.min, " to ", range.max, " is needed"));
  }
  return value;
}

std::string DescribeFlags(const std::vector<FlagSpec>& specs) {
  std::string text;
  for (const FlagSpec& spec : specs) {
    const std::string left =
        spec.value_name.empty() ? absl::StrCat("--", spec.name) : absl::StrCat("--", spec.name, " ", spec.value_name);
    absl::StrAppendFormat(&text, "  %-24s %s\n", left, spec.help);
  }
  return text;
}

}  // namespace muster
