#include "tools/vm/kernel/bzimage.h"

#include <string.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "tools/vm/support/program.h"

namespace muster::vm {
namespace {

// Offsets in the setup header; boot.rst, "Details of Header Fields".
constexpr size_t kSetupSectors = 0x1f1;
constexpr size_t kMagic = 0x202;
constexpr size_t kProtocol = 0x206;
constexpr size_t kVersionPointer = 0x20e;
constexpr size_t kPayloadOffset = 0x248;
constexpr size_t kPayloadLength = 0x24c;
constexpr size_t kHeaderEnd = 0x250;
constexpr size_t kSector = 512;

constexpr absl::string_view kElfMagic(
    "\x7f"
    "ELF",
    4);

struct Format {
  absl::string_view magic;
  const char* program;
};

constexpr Format kFormats[] = {
    {absl::string_view("\x28\xb5\x2f\xfd", 4), "zstd"},
    {absl::string_view("\x02\x21\x4c\x18", 4), "lz4"},
    {absl::string_view("\xfd"
                       "7zXZ",
                       5),
     "xz"},
    {absl::string_view("\x1f\x8b", 2), "gzip"},
};

template <typename T>
T Read(absl::string_view image, size_t at) {
  T value;
  memcpy(&value, image.data() + at, sizeof(value));
  return value;
}

absl::Status Bad(absl::string_view what) { return absl::InvalidArgumentError(absl::StrCat("read a bzImage: ", what)); }

// The text that kernel_version points at, up to its first space.
std::string ReadRelease(absl::string_view image) {
  const size_t at = size_t{Read<uint16_t>(image, kVersionPointer)} + kSector;
  if (at == kSector || at >= image.size()) return "";
  const absl::string_view text = image.substr(at, 128);
  return std::string(text.substr(0, text.find_first_of(absl::string_view(" \0", 2))));
}

absl::StatusOr<std::string> FindDecompressor(absl::string_view payload) {
  for (const Format& format : kFormats) {
    if (absl::StartsWith(payload, format.magic)) return std::string(format.program);
  }
  return Bad("compressed with none of zstd, lz4, xz and gzip");
}

}  // namespace

absl::StatusOr<BzImagePayload> ParseBzImage(absl::string_view image) {
  if (image.size() < kHeaderEnd || image.substr(kMagic, 4) != "HdrS") return Bad("no setup header");
  if (Read<uint16_t>(image, kProtocol) < 0x208) return Bad("boot protocol before 2.08");
  const size_t setup_sectors = image[kSetupSectors] == 0 ? 4 : static_cast<unsigned char>(image[kSetupSectors]);
  const size_t start = (setup_sectors + 1) * kSector + Read<uint32_t>(image, kPayloadOffset);
  const size_t length = Read<uint32_t>(image, kPayloadLength);
  if (length < 8 || start > image.size() || length > image.size() - start)
    return Bad("the payload lies outside the file");
  BzImagePayload payload;
  payload.release = ReadRelease(image);
  payload.compressed = image.substr(start, length);
  // gzip's own trailer is the size; for the others the kernel's build appends it (scripts/Makefile.lib, size_append).
  payload.unpacked_bytes = Read<uint32_t>(image, start + length - 4);
  if (absl::StartsWith(payload.compressed, kElfMagic)) {
    payload.unpacked_bytes = length;
    return payload;
  }
  ASSIGN_OR_RETURN(payload.decompressor, FindDecompressor(payload.compressed));
  if (payload.decompressor != "gzip") payload.compressed.remove_suffix(4);
  return payload;
}

absl::StatusOr<std::string> ExtractVmlinux(const BzImagePayload& payload) {
  if (payload.decompressor.empty()) return std::string(payload.compressed);
  ASSIGN_OR_RETURN(std::string elf, RunProgram({{payload.decompressor, "-dc"}, payload.compressed, absl::Minutes(2)}));
  if (elf.size() != payload.unpacked_bytes || !absl::StartsWith(elf, kElfMagic)) {
    return absl::DataLossError(absl::StrCat("unpack a bzImage: got ", elf.size(), " bytes where an ELF file of ",
                                            payload.unpacked_bytes, " is announced"));
  }
  return elf;
}

std::string ReleaseOfVmlinux(absl::string_view elf) {
  constexpr absl::string_view kBanner = "Linux version ";
  const size_t at = elf.find(kBanner);
  if (at == absl::string_view::npos) return "";
  const absl::string_view text = elf.substr(at + kBanner.size(), 128);
  return std::string(text.substr(0, text.find_first_of(absl::string_view(" \0", 2))));
}

}  // namespace muster::vm
