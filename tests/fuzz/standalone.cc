// Runs a fuzz target over its seeds and over mutations of them. Always the same ones, so that a failure can be
// repeated: it says which input it was, and `--only N` runs that one alone.
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <random>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "tests/fuzz/fuzz.h"

namespace muster::fuzz {
namespace {

constexpr uint64_t kMutations = 20'000;
constexpr size_t kLongest = 4'096;

// The input that is being run, for the handler of the signal that ends it.
uint64_t g_number = 0;
std::string g_input;

void SayInput(int signal_number) {
  char line[64];
  const int length = snprintf(line, sizeof(line), "\ninput %llu was:\n", static_cast<unsigned long long>(g_number));
  if (write(STDERR_FILENO, line, length) < 0 || write(STDERR_FILENO, g_input.data(), g_input.size()) < 0) {
    // Nobody to tell.
  }
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}

class Mutator {
 public:
  explicit Mutator(std::vector<std::string> seeds) : seeds_(std::move(seeds)) {}

  std::string Next() {
    std::string text = Any();
    for (uint64_t changes = 1 + random_() % 4; changes > 0; --changes) Change(&text);
    text.resize(std::min(text.size(), kLongest));
    return text;
  }

 private:
  const std::string& Any() { return seeds_[random_() % seeds_.size()]; }
  size_t Place(const std::string& text) { return random_() % (text.size() + 1); }

  void Change(std::string* text) {
    const size_t at = Place(*text);
    switch (random_() % 6) {
      case 0:
        return static_cast<void>(text->insert(at, 1, static_cast<char>(random_())));
      case 1:
        return static_cast<void>(text->erase(at, 1 + random_() % 8));
      case 2:
        return static_cast<void>(text->insert(at, Piece()));
      case 3:
        return static_cast<void>(text->insert(at, text->substr(Place(*text), random_() % 64)));
      case 4: {
        const std::string& other = Any();
        return static_cast<void>(text->replace(at, std::string::npos, other.substr(Place(other))));
      }
      default:
        if (at < text->size()) (*text)[at] = static_cast<char>((*text)[at] ^ (1 << random_() % 8));
    }
  }

  absl::string_view PieceView() {
    static constexpr absl::string_view kPieces[] = {"0",
                                                    "-1",
                                                    "-",
                                                    ",",
                                                    "/",
                                                    "..",
                                                    ":",
                                                    "//",
                                                    "\n",
                                                    " ",
                                                    "\xff\xfe",
                                                    "4294967296",
                                                    "18446744073709551616",
                                                    "65536",
                                                    "{",
                                                    "}",
                                                    "\"",
                                                    "e308",
                                                    "%",
                                                    "[::1]"};
    return kPieces[random_() % std::size(kPieces)];
  }
  std::string Piece() { return random_() % 16 == 0 ? std::string(1 + random_() % 300, 'a') : std::string(PieceView()); }

  const std::vector<std::string> seeds_;
  std::mt19937_64 random_{20260101};
};

void RunOne(uint64_t number, std::string input) {
  g_number = number;
  g_input = std::move(input);
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(g_input.data()), g_input.size());
}

int Run(uint64_t only) {
  for (const int signal_number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE}) signal(signal_number, SayInput);
  const std::vector<std::string> seeds = Seeds();
  Mutator mutator(seeds);
  uint64_t number = 0;
  const auto next = [&](std::string input) {
    ++number;
    if (only == 0 || number == only) RunOne(number, std::move(input));
  };
  for (const std::string& seed : seeds) next(seed);
  for (uint64_t i = 0; i < kMutations; ++i) next(mutator.Next());
  printf("%llu inputs\n", static_cast<unsigned long long>(number));
  return number > kMutations ? 0 : 1;
}

}  // namespace
}  // namespace muster::fuzz

int main(int argc, char** argv) {
  uint64_t only = 0;
  if (argc == 3 && absl::string_view(argv[1]) == "--only" && absl::SimpleAtoi(argv[2], &only))
    return muster::fuzz::Run(only);
  if (argc != 1) {
    fprintf(stderr, "usage: %s [--only N]\n", argv[0]);
    return 64;
  }
  return muster::fuzz::Run(0);
}
