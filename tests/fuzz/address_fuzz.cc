// What ParseAddress takes, FormatAddress writes so that it is taken again.
#include "base/address.h"
#include "tests/fuzz/fuzz.h"

namespace muster::fuzz {

std::vector<std::string> Seeds() {
  return {"unix:///run/musterd.sock",
          "tcp://127.0.0.1:7070",
          "tcp://[::1]:0",
          "tcp://host.example:65535",
          "vsock://3:7070",
          "vsock://any:0",
          "vsock+unix:///tmp/v.sock:7070",
          "unix://relative",
          "tcp://:1",
          "vsock://-1:1"};
}

}  // namespace muster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using muster::fuzz::Require;
  const auto address = muster::ParseAddress(muster::fuzz::TextOf(data, size));
  if (!address.ok()) return 0;
  const std::string text = muster::FormatAddress(*address);
  const auto again = muster::ParseAddress(text);
  Require(again.ok(), "what is written is taken");
  Require(muster::FormatAddress(*again) == text, "and means the same");
  return 0;
}
