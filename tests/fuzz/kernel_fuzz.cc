// A kernel image is a file from elsewhere; a view into it stays within it.
#include "tests/fuzz/fuzz.h"
#include "tools/vm/kernel/bzimage.h"

namespace muster::fuzz {
namespace {

void PutWord(std::string* image, size_t at, uint32_t word) {
  for (size_t i = 0; i < 4; ++i) (*image)[at + i] = static_cast<char>(word >> (8 * i));
}

// Fields of the setup header, Documentation/arch/x86/boot.rst.
std::string Image(absl::string_view payload) {
  std::string image(0x400, '\0');
  image[0x1f1] = 1;  // setup_sects
  image.replace(0x1fe, 2, "\x55\xaa");
  image.replace(0x202, 4, "HdrS");
  PutWord(&image, 0x206, 0x020f);
  PutWord(&image, 0x248, 0);                                      // payload_offset
  PutWord(&image, 0x24c, static_cast<uint32_t>(payload.size()));  // payload_length
  return image.append(payload.data(), payload.size());
}

}  // namespace

std::vector<std::string> Seeds() {
  using std::string_literals::operator""s;
  return {Image("\x28\xb5\x2f\xfd and so on, and the size \x10\x20\x30\x40"s), Image("\x1f\x8b\x08 gzip \x01\0\0\0"s),
          Image("\x7f"
                "ELF and so on"s),
          Image(""), "Linux version 6.1.0-50-cloud-amd64 (gcc)"};
}

}  // namespace muster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using muster::fuzz::Require;
  const absl::string_view image = muster::fuzz::TextOf(data, size);
  const auto payload = muster::vm::ParseBzImage(image);
  if (payload.ok()) {
    const absl::string_view part = payload->compressed;
    Require(part.data() >= image.data() && part.data() + part.size() <= image.data() + image.size(),
            "the payload is in the image");
  }
  (void)muster::vm::ReleaseOfVmlinux(image);
  return 0;
}
