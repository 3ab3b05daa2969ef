#include "worker/arena/reader.h"

#include <algorithm>
#include <cstring>

#include "worker/arena/checksum.h"

namespace muster::arena {
namespace {

// A worker publishes once per checkpoint at most; a reader that loses this often is being fooled.
constexpr int kCoreAttempts = 100;

Core CopyCore(const uint64_t (&buffer)[kCoreWords]) {
  uint64_t words[kCoreWords];
  for (size_t i = 0; i < kCoreWords; ++i) {
    // Acquire: pairs with the writer's release on each word (see Meter::Publish). atomic_ref wants a mutable object;
    // this only loads.
    words[i] = std::atomic_ref<uint64_t>(const_cast<uint64_t&>(buffer[i])).load(std::memory_order_acquire);
  }
  Core core;
  memcpy(&core, words, sizeof(core));
  return core;
}

bool IsContinuation(unsigned char byte) { return (byte & 0xc0) == 0x80; }

// Length of the UTF-8 sequence at the front; 0 when there is none (RFC 3629: no overlong forms, no surrogates).
size_t SequenceLength(absl::string_view text) {
  const auto at = [text](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return IsContinuation(at(1)) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const unsigned char low = first == 0xe0 ? 0xa0 : 0x80;
    const unsigned char high = first == 0xed ? 0x9f : 0xbf;
    return at(1) >= low && at(1) <= high && IsContinuation(at(2)) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const unsigned char low = first == 0xf0 ? 0x90 : 0x80;
    const unsigned char high = first == 0xf4 ? 0x8f : 0xbf;
    return at(1) >= low && at(1) <= high && IsContinuation(at(2)) && IsContinuation(at(3)) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::optional<Core> ReadCore(const Control& control) {
  for (int attempt = 0; attempt < kCoreAttempts; ++attempt) {
    const uint64_t published = control.cores_published.load(std::memory_order_acquire);
    if (published == 0) return std::nullopt;
    const Core core = CopyCore(control.cores[(published - 1) % 2]);
    // The buffer is written again only after the next publication.
    if (control.cores_published.load(std::memory_order_relaxed) == published) return core;
  }
  return std::nullopt;
}

std::optional<Evidence> ReadEvidence(const Control& control) {
  if (control.evidence_ready.load(std::memory_order_acquire) != 1) return std::nullopt;
  return control.evidence;
}

std::optional<FinalRecord> ReadFinal(const Arena& arena, uint32_t worker) {
  const Control& control = arena.control(worker);
  // Acquire: the state is the last thing that a worker stores.
  const State state = arena.live(worker).state.load(std::memory_order_acquire);
  if (state != State::kFinished && state != State::kPanicked) return std::nullopt;
  FinalRecord record;
  record.panicked = state == State::kPanicked;
  record.evidence = control.evidence;
  record.final = control.final;
  // A program that could not be executed has none.
  record.core = ReadCore(control).value_or(Core{});
  const uint32_t checksum = control.checksum.load(std::memory_order_relaxed);
  if (RecordChecksum(record.evidence, record.final, record.core) != checksum) return std::nullopt;
  return record;
}

uint64_t NumSamples(const Store& store, uint32_t capacity) {
  return std::min<uint64_t>(store.head->total.load(std::memory_order_acquire), capacity);
}

std::string CleanText(absl::string_view bytes) {
  absl::string_view rest = bytes.substr(0, std::min(bytes.find('\0'), bytes.size()));
  std::string clean;
  while (!rest.empty()) {
    const size_t length = SequenceLength(rest);
    if (length == 0) {
      clean.push_back('?');
      rest.remove_prefix(1);
    } else {
      clean.append(rest.data(), length);
      rest.remove_prefix(length);
    }
  }
  return clean;
}

}  // namespace muster::arena
