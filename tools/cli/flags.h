// The flags of a subcommand.
#ifndef MUSTER_TOOLS_CLI_FLAGS_H_
#define MUSTER_TOOLS_CLI_FLAGS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace muster {

struct FlagSpec {
  // Without dashes.
  std::string name;
  // What its value is called in the help; empty: the flag is a switch.
  std::string value_name;
  std::string help;
};

// Value type.
class Flags {
 public:
  // Reads "--name value", "--name=value" and "--switch"; everything else is positional, all after "--" too.
  // INVALID_ARGUMENT names the flag.
  static absl::StatusOr<Flags> Parse(const std::vector<std::string>& args, const std::vector<FlagSpec>& specs);

  bool Has(absl::string_view name) const { return values_.count(std::string(name)) != 0; }
  // The last value given, or `otherwise`.
  std::string Get(absl::string_view name, absl::string_view otherwise = "") const;
  // Every value given, in order.
  std::vector<std::string> All(absl::string_view name) const;
  // INVALID_ARGUMENT: not a number, or not within [min, max].
  struct Range {
    int64_t min;
    int64_t max;
  };
  absl::StatusOr<int64_t> GetInt(absl::string_view name, int64_t otherwise, Range range) const;

  const std::vector<std::string>& positional() const { return positional_; }

 private:
  std::map<std::string, std::vector<std::string>> values_;
  std::vector<std::string> positional_;
};

// One line per flag.
std::string DescribeFlags(const std::vector<FlagSpec>& specs);

}  // namespace muster

#endif  // MUSTER_TOOLS_CLI_FLAGS_H_
