#include "tools/vm/image/elf_strip.h"

#include <elf.h>
#include <string.h>

#include <algorithm>
#include <vector>

namespace muster::vm {
namespace {

// Program headers of a little-endian ELF64 program; empty when it is none, or when they lie outside.
std::vector<Elf64_Phdr> ProgramHeaders(absl::string_view program) {
  Elf64_Ehdr header;
  if (program.size() < sizeof(header)) return {};
  memcpy(&header, program.data(), sizeof(header));
  const bool elf64 = memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_ident[EI_CLASS] == ELFCLASS64;
  const uint64_t bytes = uint64_t{header.e_phnum} * sizeof(Elf64_Phdr);
  if (!elf64 || header.e_phnum == 0 || header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phoff > program.size() ||
      bytes > program.size() - header.e_phoff) {
    return {};
  }
  std::vector<Elf64_Phdr> headers(header.e_phnum);
  memcpy(headers.data(), program.data() + header.e_phoff, bytes);
  return headers;
}

// Where the last byte ends that the headers speak of; 0 when one lies outside.
uint64_t EndOfSegments(absl::string_view program, const std::vector<Elf64_Phdr>& headers) {
  Elf64_Ehdr header;
  memcpy(&header, program.data(), sizeof(header));
  uint64_t end = std::max<uint64_t>(sizeof(header), header.e_phoff + headers.size() * sizeof(Elf64_Phdr));
  for (const Elf64_Phdr& segment : headers) {
    if (segment.p_offset > program.size() || segment.p_filesz > program.size() - segment.p_offset) return 0;
    end = std::max(end, segment.p_offset + segment.p_filesz);
  }
  return end;
}

}  // namespace

std::string StripElf(absl::string_view program) {
  const std::vector<Elf64_Phdr> headers = ProgramHeaders(program);
  const uint64_t end = headers.empty() ? 0 : EndOfSegments(program, headers);
  if (end == 0) return std::string(program);
  std::string stripped(program.substr(0, end));
  Elf64_Ehdr header;
  memcpy(&header, stripped.data(), sizeof(header));
  header.e_shoff = 0;
  header.e_shnum = 0;
  header.e_shstrndx = SHN_UNDEF;
  memcpy(stripped.data(), &header, sizeof(header));
  return stripped;
}

bool NeedsLoader(absl::string_view program) {
  const std::vector<Elf64_Phdr> headers = ProgramHeaders(program);
  return std::any_of(headers.begin(), headers.end(),
                     [](const Elf64_Phdr& segment) { return segment.p_type == PT_INTERP; });
}

}  // namespace muster::vm
