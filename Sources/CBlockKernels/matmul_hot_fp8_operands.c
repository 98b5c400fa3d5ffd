#include "matmul_hot_fp8.h"

#include <math.h>

#pragma STDC FP_CONTRACT OFF

// Products' exponents must stay within −32 to 32 and apart from what a zero gives.
enum { LOWEST = -16, HIGHEST = 16 };

int fp8_read(const bk_operand *o, fp8_values *v) {
  const bk_element *e = o->element;
  if (e->is_codebook || e->twos_complement || e->code_bytes != 1 || e->code_mask > 255 ||
      e->mantissa_bits < 0 || e->mantissa_bits > 3 || e->min_exponent < LOWEST ||
      !(e->max_value < (float)(1 << HIGHEST)))
    return 0;
  uint8_t codes[256], seen[256] = {0};
  for (int i = 0; i < 256; i++) codes[i] = (uint8_t)i & (uint8_t)e->code_mask;
  bk_decode(BK_TARGET_BASELINE, e, codes, 256, v->values);
  const uint8_t *used = o->codes;
  for (int64_t i = 0; i < o->lines * o->depth; i++) seen[used[i]] = 1;
  if (v->values[0] != 0) return 0;
  for (int i = 0; i < 256; i++) {
    v->exponents[i] = FP8_ZERO;
    if (v->values[i] == 0) continue;
    if (!isfinite(v->values[i])) {
      if (seen[i]) return 0;
      v->values[i] = 0;
      continue;
    }
    int exponent = ilogbf(v->values[i]);
    v->exponents[i] = (int8_t)(exponent < e->min_exponent ? e->min_exponent : exponent);
  }
  return 1;
}

int fp8_scales_within(const bk_operand *o, int limit) {
  if (!o->scale) return 1;
  if (o->scale->kind != BK_SCALE_E8M0 || o->block <= 0 || o->block % FP8_STEP != 0) return 0;
  int64_t count = o->lines * ((o->depth + o->block - 1) / o->block);
  uint32_t outside = 0;
  for (int64_t i = 0; i < count; i++)
    outside |= (o->scale_codes[i] & 255) - (uint32_t)(127 - limit) > (uint32_t)(2 * limit);
  return !outside;
}
