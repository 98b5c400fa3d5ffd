// Vectors of LANES 32-bit numbers, and the few operations that the loops are written in.
// Include with LANES defined; the including file has set the instruction set.
#ifndef BK_LANES_H
#define BK_LANES_H

#if defined(__x86_64__)
#include <immintrin.h>
#endif
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

#define NO_LANES ((vi){0})
#define ALL_LANES (~(vi){0})
#define INLINE static inline __attribute__((always_inline))

typedef float vf __attribute__((ext_vector_type(LANES)));
typedef uint32_t vu __attribute__((ext_vector_type(LANES)));
typedef int32_t vi __attribute__((ext_vector_type(LANES)));
typedef uint16_t vu16 __attribute__((ext_vector_type(LANES)));
typedef uint8_t vu8 __attribute__((ext_vector_type(LANES)));

INLINE vf load_f(const float *p) {
  vf v;
  memcpy(&v, p, sizeof v);
  return v;
}

INLINE vu load_u(const uint32_t *p) {
  vu v;
  memcpy(&v, p, sizeof v);
  return v;
}

INLINE void store_f(float *p, vf v) { memcpy(p, &v, sizeof v); }
INLINE void store_u(uint32_t *p, vu v) { memcpy(p, &v, sizeof v); }

INLINE vf bits_f(vu v) {
  vf r;
  memcpy(&r, &v, sizeof r);
  return r;
}

INLINE vu bits_u(vf v) {
  vu r;
  memcpy(&r, &v, sizeof r);
  return r;
}

INLINE vu mask_u(vi mask) {
  vu r;
  memcpy(&r, &mask, sizeof r);
  return r;
}

INLINE vu magnitude_u(vf v) { return bits_u(v) & 0x7fffffffu; }
INLINE vu select_u(vi mask, vu yes, vu no) { return mask ? yes : no; }
INLINE vf select_f(vi mask, vf yes, vf no) { return mask ? yes : no; }
INLINE int any(vi mask) {
#if defined(__x86_64__) && LANES == 16
  return _mm512_test_epi32_mask((__m512i)mask, (__m512i)mask) != 0;
#elif defined(__x86_64__) && LANES == 8
  return !_mm256_testz_si256((__m256i)mask, (__m256i)mask);
#else
  return __builtin_reduce_or(mask) != 0;
#endif
}
INLINE vu max_u(vu a, vu b) { return __builtin_elementwise_max(a, b); }
// Of magnitudes, which are non-negative as signed numbers too: SSE2 compares only those.
INLINE vu max_magnitude(vu a, vu b) {
#if LANES == 4
  return (vi)a > (vi)b ? a : b;
#else
  return __builtin_elementwise_max(a, b);
#endif
}
INLINE vu min_u(vu a, vu b) { return __builtin_elementwise_min(a, b); }
INLINE vf min_f(vf a, vf b) { return a < b ? a : b; }

INLINE void store_codes(void *codes, size_t index, int code_bytes, vu k) {
  if (code_bytes == 1) {
    vu8 narrow = __builtin_convertvector(k, vu8);
    memcpy((uint8_t *)codes + index, &narrow, sizeof narrow);
  } else if (code_bytes == 2) {
    vu16 narrow = __builtin_convertvector(k, vu16);
    memcpy((uint16_t *)codes + index, &narrow, sizeof narrow);
  } else {
    memcpy((uint32_t *)codes + index, &k, sizeof k);
  }
}

// Four vectors of codes below 256 as bytes in order.
INLINE void store_four(uint8_t *p, vu a, vu b, vu c, vu d) {
#if defined(__x86_64__) && LANES == 16
  __m512i low = _mm512_packus_epi32((__m512i)a, (__m512i)b);
  __m512i high = _mm512_packus_epi32((__m512i)c, (__m512i)d);
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  __m512i bytes = _mm512_permutexvar_epi32(order, _mm512_packus_epi16(low, high));
  memcpy(p, &bytes, sizeof bytes);
#elif defined(__x86_64__) && LANES == 8
  __m256i low = _mm256_packus_epi32((__m256i)a, (__m256i)b);
  __m256i high = _mm256_packus_epi32((__m256i)c, (__m256i)d);
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(low, high), order);
  memcpy(p, &bytes, sizeof bytes);
#elif defined(__x86_64__)
  __m128i low = _mm_packs_epi32((__m128i)a, (__m128i)b);
  __m128i high = _mm_packs_epi32((__m128i)c, (__m128i)d);
  __m128i bytes = _mm_packus_epi16(low, high);
  memcpy(p, &bytes, sizeof bytes);
#else
  store_codes(p, 0, 1, a);
  store_codes(p, LANES, 1, b);
  store_codes(p, 2 * LANES, 1, c);
  store_codes(p, 3 * LANES, 1, d);
#endif
}

INLINE vu load_codes(const void *codes, size_t index, int code_bytes) {
  vu k;
  if (code_bytes == 1) {
    vu8 narrow;
    memcpy(&narrow, (const uint8_t *)codes + index, sizeof narrow);
    k = __builtin_convertvector(narrow, vu);
  } else if (code_bytes == 2) {
    vu16 narrow;
    memcpy(&narrow, (const uint16_t *)codes + index, sizeof narrow);
    k = __builtin_convertvector(narrow, vu);
  } else {
    memcpy(&k, (const uint32_t *)codes + index, sizeof k);
  }
  return k;
}

// Lane i of the result is the largest lane of v[i].
INLINE vu reduce_each(vu *v) {
#if LANES == 16
  for (int i = 0; i < 8; i++)
    v[i] = max_magnitude(__builtin_shufflevector(v[i], v[i + 8], 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20,
                                         21, 22, 23),
                 __builtin_shufflevector(v[i], v[i + 8], 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26,
                                         27, 28, 29, 30, 31));
  for (int i = 0; i < 4; i++)
    v[i] = max_magnitude(__builtin_shufflevector(v[i], v[i + 4], 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11,
                                         24, 25, 26, 27),
                 __builtin_shufflevector(v[i], v[i + 4], 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15,
                                         28, 29, 30, 31));
  for (int i = 0; i < 2; i++)
    v[i] = max_magnitude(__builtin_shufflevector(v[i], v[i + 2], 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25,
                                         12, 13, 28, 29),
                 __builtin_shufflevector(v[i], v[i + 2], 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27,
                                         14, 15, 30, 31));
  return max_magnitude(__builtin_shufflevector(v[0], v[1], 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28,
                                       14, 30),
               __builtin_shufflevector(v[0], v[1], 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29,
                                       15, 31));
#elif LANES == 8
  for (int i = 0; i < 4; i++)
    v[i] = max_magnitude(__builtin_shufflevector(v[i], v[i + 4], 0, 1, 2, 3, 8, 9, 10, 11),
                 __builtin_shufflevector(v[i], v[i + 4], 4, 5, 6, 7, 12, 13, 14, 15));
  for (int i = 0; i < 2; i++)
    v[i] = max_magnitude(__builtin_shufflevector(v[i], v[i + 2], 0, 1, 8, 9, 4, 5, 12, 13),
                 __builtin_shufflevector(v[i], v[i + 2], 2, 3, 10, 11, 6, 7, 14, 15));
  return max_magnitude(__builtin_shufflevector(v[0], v[1], 0, 8, 2, 10, 4, 12, 6, 14),
               __builtin_shufflevector(v[0], v[1], 1, 9, 3, 11, 5, 13, 7, 15));
#else
  for (int i = 0; i < 2; i++)
    v[i] = max_magnitude(__builtin_shufflevector(v[i], v[i + 2], 0, 1, 4, 5),
                 __builtin_shufflevector(v[i], v[i + 2], 2, 3, 6, 7));
  return max_magnitude(__builtin_shufflevector(v[0], v[1], 0, 4, 2, 6),
               __builtin_shufflevector(v[0], v[1], 1, 5, 3, 7));
#endif
}

#endif
