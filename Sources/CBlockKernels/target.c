#include "kernels.h"

#pragma STDC FP_CONTRACT OFF

int bk_target_available(int target) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (target == BK_TARGET_AVX512)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("bmi2");
  if (target == BK_TARGET_AVX2)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
#endif
  return target == BK_TARGET_BASELINE;
}

int bk_best_target(void) {
  if (bk_target_available(BK_TARGET_AVX512)) return BK_TARGET_AVX512;
  if (bk_target_available(BK_TARGET_AVX2)) return BK_TARGET_AVX2;
  return BK_TARGET_BASELINE;
}

const bk_kernels *bk_kernels_for(int target) {
  if (target == BK_TARGET_AUTO) target = bk_best_target();
#if defined(__x86_64__)
  if (target == BK_TARGET_AVX512) return &bk_kernels_avx512;
  if (target == BK_TARGET_AVX2) return &bk_kernels_avx2;
#endif
  return &bk_kernels_baseline;
}

int64_t bk_encode(int target, const bk_element *element, int rounding, int random_bits,
                  int non_finite_overflow, const uint32_t *random, const float *x, size_t count,
                  void *codes) {
  if (!element->is_codebook)
    return bk_kernels_for(target)->encode(element, rounding, random_bits, non_finite_overflow,
                                          random, x, count, codes);
  bk_exact one = bk_split(1);
  for (size_t i = 0; i < count; i++) {
    if (x[i] != x[i]) return (int64_t)i;
    float clipped = x[i] > 0x1.fffffep127f ? 0x1.fffffep127f : x[i] < -0x1.fffffep127f ? -0x1.fffffep127f : x[i];
    uint32_t code = bk_element_exact(element, clipped, one, rounding, random_bits,
                                     random ? random[i] : 0);
    if (element->code_bytes == 1) ((uint8_t *)codes)[i] = (uint8_t)code;
    else ((uint16_t *)codes)[i] = (uint16_t)code;
  }
  return -1;
}

void bk_decode(int target, const bk_element *element, const void *codes, size_t count,
               float *output) {
  if (!element->is_codebook) {
    bk_kernels_for(target)->decode(element, codes, count, output);
    return;
  }
  for (size_t i = 0; i < count; i++) {
    uint32_t code = element->code_bytes == 1 ? ((const uint8_t *)codes)[i]
                                             : ((const uint16_t *)codes)[i];
    output[i] = code < (uint32_t)element->codebook_count ? element->codebook[code]
                                                         : bk_float(0x7fc00000);
  }
}

void bk_encode_e8m0(int target, const float *x, size_t count, uint32_t *codes) {
  bk_kernels_for(target)->encode_e8m0(x, count, codes);
}

float bk_finite_amax(int target, const float *x, size_t count, int64_t *non_finite) {
  return bk_kernels_for(target)->finite_amax(x, count, non_finite);
}
