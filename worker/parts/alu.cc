#include "worker/parts/alu.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace muster {
namespace {

constexpr uint64_t kMultiplier = 6364136223846793005u;
constexpr uint64_t kIncrement = 1442695040888963407u;

// The empty asm statements make each step's value escape, so that the compiler can neither fold nor drop steps.
[[gnu::noinline]] void ScalarChains(AluState& state, uint64_t steps) {
  uint64_t a = state.lanes[0][0], b = state.lanes[1][0], c = state.lanes[2][0], d = state.lanes[3][0];
  for (; steps != 0; --steps) {
    a = a * kMultiplier + kIncrement;
    b = b * kMultiplier + kIncrement;
    c = c * kMultiplier + kIncrement;
    d = d * kMultiplier + kIncrement;
    asm volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d));
  }
  state.lanes[0][0] = a;
  state.lanes[1][0] = b;
  state.lanes[2][0] = c;
  state.lanes[3][0] = d;
}

#if defined(__x86_64__)

// The three widths differ in their registers only; a function's target attribute does not reach into a template's body,
// so the body is a macro. Vectors multiply 32-bit halves into 64 bits: the one multiplication that all widths have.
#define MUSTER_VECTOR_CHAINS(Name, Target, Vector, Load, Store, Multiply, Add, Broadcast) \
  [[gnu::noinline, gnu::target(Target)]] void Name(AluState& state, uint64_t steps) {     \
    const Vector multiplier = Broadcast(static_cast<long long>(kMultiplier));             \
    const Vector increment = Broadcast(static_cast<long long>(kIncrement));               \
    Vector a = Load(reinterpret_cast<const Vector*>(state.lanes[0]));                     \
    Vector b = Load(reinterpret_cast<const Vector*>(state.lanes[1]));                     \
    Vector c = Load(reinterpret_cast<const Vector*>(state.lanes[2]));                     \
    Vector d = Load(reinterpret_cast<const Vector*>(state.lanes[3]));                     \
    for (; steps != 0; --steps) {                                                         \
      a = Add(Multiply(a, multiplier), increment);                                        \
      b = Add(Multiply(b, multiplier), increment);                                        \
      c = Add(Multiply(c, multiplier), increment);                                        \
      d = Add(Multiply(d, multiplier), increment);                                        \
      asm volatile("" : "+v"(a), "+v"(b), "+v"(c), "+v"(d));                              \
    }                                                                                     \
    Store(reinterpret_cast<Vector*>(state.lanes[0]), a);                                  \
    Store(reinterpret_cast<Vector*>(state.lanes[1]), b);                                  \
    Store(reinterpret_cast<Vector*>(state.lanes[2]), c);                                  \
    Store(reinterpret_cast<Vector*>(state.lanes[3]), d);                                  \
  }

MUSTER_VECTOR_CHAINS(Chains128, "sse2", __m128i, _mm_loadu_si128, _mm_storeu_si128, _mm_mul_epu32, _mm_add_epi64,
                     _mm_set1_epi64x)
MUSTER_VECTOR_CHAINS(Chains256, "avx2", __m256i, _mm256_loadu_si256, _mm256_storeu_si256, _mm256_mul_epu32,
                     _mm256_add_epi64, _mm256_set1_epi64x)
MUSTER_VECTOR_CHAINS(Chains512, "avx512f", __m512i, _mm512_loadu_si512, _mm512_storeu_si512, _mm512_mul_epu32,
                     _mm512_add_epi64, _mm512_set1_epi64)
#undef MUSTER_VECTOR_CHAINS

bool CpuHas256() { return __builtin_cpu_supports("avx2"); }
bool CpuHas512() { return __builtin_cpu_supports("avx512f"); }

#else

using Vector128 = uint64_t __attribute__((vector_size(16)));

[[gnu::noinline]] void Chains128(AluState& state, uint64_t steps) {
  Vector128 chains[4];
  __builtin_memcpy(&chains[0], state.lanes[0], 16);
  __builtin_memcpy(&chains[1], state.lanes[1], 16);
  __builtin_memcpy(&chains[2], state.lanes[2], 16);
  __builtin_memcpy(&chains[3], state.lanes[3], 16);
  for (; steps != 0; --steps) {
    for (Vector128& chain : chains) {
      chain = (chain & 0xffffffffu) * (kMultiplier & 0xffffffffu) + kIncrement;
      asm volatile("" : "+w"(chain));
    }
  }
  for (int i = 0; i < 4; ++i) __builtin_memcpy(state.lanes[i], &chains[i], 16);
}
void Chains256(AluState& state, uint64_t steps) { Chains128(state, steps); }
void Chains512(AluState& state, uint64_t steps) { Chains128(state, steps); }
bool CpuHas256() { return false; }
bool CpuHas512() { return false; }

#endif

}  // namespace

bool CpuHasAluWidth(v1::AluWidth width) {
  switch (width) {
    case v1::SCALAR:
    case v1::VEC128:
      return true;
    case v1::VEC256:
      return CpuHas256();
    case v1::VEC512:
      return CpuHas512();
    default:
      return false;
  }
}

v1::AluWidth LowerAluWidth(v1::AluWidth wanted) {
  if (wanted == v1::SCALAR || wanted == v1::VEC128) return wanted;
  if (wanted != v1::VEC256 && CpuHasAluWidth(v1::VEC512)) return v1::VEC512;
  return CpuHasAluWidth(v1::VEC256) ? v1::VEC256 : v1::VEC128;
}

AluFunction AluChains(v1::AluWidth width) {
  switch (width) {
    case v1::VEC128:
      return Chains128;
    case v1::VEC256:
      return Chains256;
    case v1::VEC512:
      return Chains512;
    default:
      return ScalarChains;
  }
}

}  // namespace muster
