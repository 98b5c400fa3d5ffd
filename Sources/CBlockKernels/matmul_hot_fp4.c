#include "matmul_hot_fp4.h"

#include <limits.h>
#include <math.h>

#pragma STDC FP_CONTRACT OFF

static int is_e2m1(const bk_element *e) {
  return !e->is_codebook && !e->twos_complement && e->code_bytes == 1 && e->mantissa_bits == 1 &&
         e->min_exponent == 0 && e->max_code == 7 && e->first_special > 7 && e->sign_mask == 8 &&
         e->has_negative_zero && e->code_mask == 15;
}

static int read_codes(const bk_operand *o, const bk_scale *scale, fp4_scales *s) {
  int64_t count = o->lines * ((o->depth + o->block - 1) / o->block);
  s->code_mask = ~scale->ignored_bits;
  uint32_t all = 0;
  for (int64_t i = 0; i < count; i++) {
    uint32_t code = o->scale_codes[i] & s->code_mask;
    all |= code;
    s->used[code & 255] = 1;
  }
  return all < 256;
}

// Splits the values of the patterns that occur. 0: one is not finite or has too many bits.
static int split(const bk_scale *scale, fp4_scales *s) {
  uint32_t codes[256];
  float values[256];
  for (uint32_t i = 0; i < 256; i++) codes[i] = i;
  bk_decode_scales(scale, codes, 256, values);
  int lowest = scale->kind == BK_SCALE_E8M0 ? -127 : scale->format.min_exponent;
  for (int i = 0; i < 256; i++) {
    if (!s->used[i] || values[i] == 0) continue;
    if (!isfinite(values[i]) || values[i] < 0) return 0;
    int exponent = ilogbf(values[i]);
    if (exponent < lowest) exponent = lowest;
    float significand = ldexpf(values[i], 3 - exponent);
    s->significand[i] = (int32_t)significand;
    s->exponent[i] = exponent;
    if ((float)s->significand[i] != significand) return 0;
    if (exponent < s->low) s->low = exponent;
    if (exponent > s->high) s->high = exponent;
  }
  return 1;
}

int fp4_read(const bk_operand *o, fp4_scales *s) {
  if (!is_e2m1(o->element)) return 0;
  *s = (fp4_scales){.low = INT_MAX, .high = INT_MIN};
  if (!o->scale) {
    s->significand[0] = 8;
    s->low = s->high = 0;
    s->used[0] = 1;
    return 1;
  }
  if (o->block <= 0 || o->block % 16 != 0) return 0;
  if (o->scale->kind != BK_SCALE_E8M0 && o->scale->kind != BK_SCALE_FLOAT) return 0;
  return read_codes(o, o->scale, s) && split(o->scale, s);
}

int hot_c_within(const bk_matmul *p, int low, int high) {
  if (!p->c) return 1;
  uint32_t from = (uint32_t)(low + 127) << 24, width = (uint32_t)(high - low) << 24, outside = 0;
  for (int64_t i = 0; i < p->a.lines * p->b.lines; i++) {
    uint32_t magnitude = (uint32_t)p->c[i] << 1;
    outside |= (magnitude != 0) & (magnitude - from >= width);
  }
  return !outside;
}
