#include "tools/vm/scheduler/bpf_object.h"

#include <elf.h>
#include <string.h>

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"

namespace muster::vm {
namespace {

// A copy of the record at `offset`; nullopt: the content ends before it does.
template <typename Record>
std::optional<Record> At(absl::string_view content, uint64_t offset) {
  Record record;
  if (offset > content.size() || content.size() - offset < sizeof(record)) return std::nullopt;
  memcpy(&record, content.data() + offset, sizeof(record));
  return record;
}

std::string NameAt(absl::string_view names, uint32_t offset) {
  if (offset >= names.size()) return "";
  const absl::string_view rest = names.substr(offset);
  return std::string(rest.substr(0, rest.find('\0')));
}

std::optional<Elf64_Shdr> Section(absl::string_view content, const Elf64_Ehdr& header, size_t index) {
  // Beyond 2^32 no table is one of a file that we could have read; and the sum below cannot overflow.
  if (header.e_shoff > UINT32_MAX) return std::nullopt;
  return At<Elf64_Shdr>(content, header.e_shoff + index * sizeof(Elf64_Shdr));
}

bool HasScheduler(absl::string_view content, const Elf64_Ehdr& header) {
  const std::optional<Elf64_Shdr> names = Section(content, header, header.e_shstrndx);
  if (!names.has_value() || names->sh_offset > content.size()) return false;
  const absl::string_view table = content.substr(names->sh_offset, names->sh_size);
  for (size_t index = 0; index < header.e_shnum; ++index) {
    const std::optional<Elf64_Shdr> section = Section(content, header, index);
    if (!section.has_value()) return false;
    const std::string name = NameAt(table, section->sh_name);
    if (name == ".struct_ops" || name == ".struct_ops.link") return true;
  }
  return false;
}

}  // namespace

absl::Status CheckSchedulerObject(absl::string_view content) {
  const std::optional<Elf64_Ehdr> header = At<Elf64_Ehdr>(content, 0);
  if (!header.has_value() || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64)
    return absl::FailedPreconditionError("it is no ELF object; clang -target bpf -g -O2 -c makes one");
  if (header->e_machine != EM_BPF) {
    return absl::FailedPreconditionError(
        absl::StrCat("it is an ELF object for machine ", header->e_machine, ", not for BPF (", EM_BPF, ")"));
  }
  if (!HasScheduler(content, *header)) {
    return absl::FailedPreconditionError(
        "it has no scheduler: a struct sched_ext_ops in the section .struct_ops.link (or .struct_ops) is needed");
  }
  return absl::OkStatus();
}

}  // namespace muster::vm
