#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/error_detail.h"
#include "base/status_macros.h"
#include "daemon/spec/validate_parts.h"
#include "worker/control/spec.h"

namespace muster {
namespace {

constexpr size_t kTaskNameBytes = 15;  // TASK_COMM_LEN without its NUL

bool HasNul(absl::string_view text) { return text.find('\0') != absl::string_view::npos; }

// `status` says "path: text" of a field below `field`.
absl::Status BelowField(const absl::Status& status, const std::string& field) {
  const absl::string_view message = status.message();
  const size_t colon = message.find(": ");
  if (colon == absl::string_view::npos) return FieldError(field, message);
  return FieldError(absl::StrCat(field, ".", message.substr(0, colon)), message.substr(colon + 2));
}

absl::Status CheckEnvironment(const v1::Custom::Program& program, const std::string& field) {
  for (int i = 0; i < program.env_size(); ++i) {
    const absl::string_view entry = program.env(i);
    const size_t equals = entry.find('=');
    if (equals != absl::string_view::npos && equals != 0 && !HasNul(entry)) continue;
    return FieldError(absl::StrCat(field, ".env[", i, "]"), "write NAME=value, without a NUL");
  }
  return absl::OkStatus();
}

absl::Status CheckProgram(const v1::Custom::Program& program, const WorkContext& context, const std::string& field) {
  if (program.path().empty() || program.path()[0] != '/' || HasNul(program.path())) {
    return FieldError(field + ".path", "write the absolute path of a program in the guest, as \"/bin/true\"");
  }
  for (int i = 0; i < program.args_size(); ++i) {
    if (HasNul(program.args(i))) return FieldError(absl::StrCat(field, ".args[", i, "]"), "contains a NUL");
  }
  RETURN_IF_ERROR(CheckEnvironment(program, field));
  if (context.one_process) {
    return FieldError(field,
                      "a program takes the place of its whole process, so it needs clone_mode: FORK and no pcomm");
  }
  if (!context.allow_exec) {
    return PreconditionError({"EXEC", "allow_exec"},
                             absl::StrCat(field, ": this daemon runs no programs; start musterd with --allow-exec"));
  }
  return absl::OkStatus();
}

absl::Status CheckCustom(const v1::Custom& custom, const WorkContext& context, const std::string& field) {
  if (custom.has_program()) return CheckProgram(custom.program(), context, field + ".program");
  if (custom.function().name().empty()) {
    return FieldError(field + ".function.name", "write the name that the function was registered with");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckWork(const v1::Work& work, const WorkContext& context, const std::string& field) {
  if (work.type_case() == v1::Work::TYPE_NOT_SET) {
    return FieldError(field, "no work type is set; choose one, as spin_wait {}, or leave the work out");
  }
  const absl::Status ranges = CheckWorkRanges(work);
  if (!ranges.ok()) return BelowField(ranges, field);
  return work.has_custom() ? CheckCustom(work.custom(), context, field + ".custom") : absl::OkStatus();
}

absl::Status CheckTaskName(const std::string& name, const std::string& field) {
  if (name.empty()) return FieldError(field, "the name is empty; write 1 to 15 bytes, or leave it out");
  if (HasNul(name)) return FieldError(field, "the name contains a NUL");
  if (name.size() <= kTaskNameBytes) return absl::OkStatus();
  return FieldError(field, absl::StrCat("the name has ", name.size(), " bytes; the kernel keeps ", kTaskNameBytes));
}

absl::Status CheckId(uint32_t id, const std::string& field) {
  if (id != std::numeric_limits<uint32_t>::max()) return absl::OkStatus();
  return FieldError(field, "4294967295 means \"leave it\" to the kernel; leave the field out instead");
}

}  // namespace muster
