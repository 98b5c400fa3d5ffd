// What the AVX-512 kernels of matrix products share.
#ifndef BK_MATMUL_HOT_LANES_H
#define BK_MATMUL_HOT_LANES_H

#include "matmul_hot.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define HOT __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512vbmi")))
#define HOT_INLINE static inline __attribute__((always_inline)) HOT
#define HOT_UNROLL _Pragma("clang loop unroll(full)")

// Turns 16 rows of 16 dwords into columns.
HOT_INLINE void transpose_dwords(__m512i r[16]) {
  __m512i t[16];
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
  for (int i = 0; i < 4; i++) {
    t[i] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
    t[i + 4] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xdd);
    t[i + 8] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
    t[i + 12] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xdd);
  }
  for (int i = 0; i < 4; i++) {
    r[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
    r[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd);
    r[i + 4] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0x88);
    r[i + 12] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0xdd);
  }
}

// 64 bytes, zero from `count` on.
HOT_INLINE __m512i load_bytes(const uint8_t *from, int64_t count) {
  if (count >= 64) return _mm512_loadu_si512(from);
  return _mm512_maskz_loadu_epi8(count <= 0 ? 0 : ~UINT64_C(0) >> (64 - count), from);
}

// The low halves of up to 16 patterns of 64 bits.
HOT_INLINE __m512i load_patterns(const int64_t *from, int count) {
  __mmask16 valid = (__mmask16)(0xffffu >> (16 - count));
  __m512i low = _mm512_maskz_loadu_epi64((__mmask8)valid, from);
  __m512i high = _mm512_maskz_loadu_epi64((__mmask8)(valid >> 8), from + 8);
  return _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtepi64_epi32(low)),
                            _mm512_cvtepi64_epi32(high), 1);
}

HOT_INLINE __m512i broadcast_dword(const void *from) {
  int32_t value;
  __builtin_memcpy(&value, from, sizeof value);
  return _mm512_set1_epi32(value);
}

// A float result multiplied by tensor scales, with the unit's own NaN.
HOT_INLINE __m512 finish_float(__m512 d, const bk_matmul *p) {
  if (hot_has_tensor_scale(p)) {
    float a = p->a.has_tensor_scale ? p->a.tensor_scale : 1;
    float b = p->b.has_tensor_scale ? p->b.tensor_scale : 1;
    d = _mm512_mul_ps(d, _mm512_set1_ps(a * b));
  }
  __m512 nan = _mm512_castsi512_ps(_mm512_set1_epi32((int32_t)p->accumulator.nan));
  return _mm512_mask_mov_ps(d, _mm512_cmp_ps_mask(d, d, _CMP_UNORD_Q), nan);
}

#endif

// Whether every given c is zero or of a magnitude in [2^low, 2^high).
int hot_c_within(const bk_matmul *p, int low, int high);

#endif
