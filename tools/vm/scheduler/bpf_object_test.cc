#include "tools/vm/scheduler/bpf_object.h"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string.h>

#include <string>

namespace muster::vm {
namespace {

using ::testing::HasSubstr;

// An object of two sections: the empty one, and one of this name.
std::string Object(const std::string& section, uint16_t machine = EM_BPF) {
  Elf64_Ehdr header = {};
  memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_machine = machine;
  header.e_shoff = sizeof(header);
  header.e_shnum = 2;
  header.e_shstrndx = 1;
  Elf64_Shdr sections[2] = {};
  sections[1].sh_name = 1;
  sections[1].sh_offset = sizeof(header) + sizeof(sections);
  sections[1].sh_size = section.size() + 2;
  std::string content(reinterpret_cast<const char*>(&header), sizeof(header));
  content.append(reinterpret_cast<const char*>(sections), sizeof(sections));
  return content + std::string(1, '\0') + section + std::string(1, '\0');
}

std::string Refusal(absl::string_view content) { return std::string(CheckSchedulerObject(content).message()); }

TEST(BpfObjectTest, BothSectionsOfSchedulersAreTaken) {
  EXPECT_EQ(Refusal(Object(".struct_ops.link")), "");
  EXPECT_EQ(Refusal(Object(".struct_ops")), "");
}

TEST(BpfObjectTest, AnObjectWithoutASchedulerIsRefused) {
  EXPECT_THAT(Refusal(Object("struct_ops/enqueue")), HasSubstr("it has no scheduler"));
}

TEST(BpfObjectTest, WhatIsNoBpfObjectIsRefusedAsWhatItIs) {
  EXPECT_THAT(Refusal("int main() {}"), HasSubstr("it is no ELF object"));
  EXPECT_THAT(Refusal(""), HasSubstr("it is no ELF object"));
  EXPECT_THAT(Refusal(Object(".struct_ops", EM_X86_64)), HasSubstr("an ELF object for machine 62, not for BPF (247)"));
}

TEST(BpfObjectTest, ATornObjectIsRefusedAtEveryLength) {
  const std::string whole = Object(".struct_ops");
  // Without its last byte, a zero, the name is still there.
  for (size_t size = 0; size + 1 < whole.size(); ++size)
    EXPECT_FALSE(CheckSchedulerObject(absl::string_view(whole).substr(0, size)).ok()) << size;
}

TEST(BpfObjectTest, WildOffsetsAreRefused) {
  std::string object = Object(".struct_ops");
  Elf64_Ehdr header;
  memcpy(&header, object.data(), sizeof(header));
  for (const uint64_t offset : {UINT64_MAX, UINT64_MAX - 63, uint64_t{1} << 32, uint64_t{1} << 31}) {
    header.e_shoff = offset;
    memcpy(object.data(), &header, sizeof(header));
    EXPECT_THAT(Refusal(object), HasSubstr("it has no scheduler")) << offset;
  }
}

}  // namespace
}  // namespace muster::vm
