#include "element_exact.h"

#pragma STDC FP_CONTRACT OFF

float bk_scale_value(const bk_scale *s, uint32_t code) {
  code &= ~s->ignored_bits;
  if (s->kind == BK_SCALE_E8M0) {
    if (code == 255) return NAN;
    return bk_float(code == 0 ? 0x00400000 : code << 23);
  }
  uint32_t magnitude = code & ~s->format.sign_mask;
  int negative = (code & s->format.sign_mask) != 0;
  double value = magnitude >= s->format.first_special
                     ? (s->format.has_infinity && magnitude == s->format.infinity_code
                            ? (double)INFINITY
                            : (double)NAN)
                     : bk_magnitude(&s->format, magnitude);
  return (float)(negative ? -value : value);
}

bk_exact bk_divisor(const bk_job *job, uint32_t scale_code) {
  return bk_product(bk_split(bk_scale_value(&job->scale, scale_code)), bk_split(job->tensor_scale));
}

// floor(log2(a / d)) for a > 0.
static int floor_log2(float a, bk_exact d) {
  int a_exponent, d_exponent;
  frexpf(a, &a_exponent);
  frexp(bk_approximate(d), &d_exponent);
  int e = a_exponent - d_exponent;
  while (bk_compare(a, ldexp(1, e), d) < 0) e--;
  while (bk_compare(a, ldexp(1, e + 1), d) >= 0) e++;
  return e;
}

// Whether (a/T)² ≥ 2·4^e, that is log2(a/T) ≥ e + ½.
static int at_least_root_two(float a, bk_exact t, int e) {
  bk_exact x = bk_split(a);
  unsigned __int128 left = (unsigned __int128)x.significand * x.significand;
  unsigned __int128 right = (unsigned __int128)t.significand * t.significand;
  int shift = 2 * x.exponent - (2 * t.exponent + 2 * e + 1);
  int top_left = bk_length(left) + shift, top_right = bk_length(right);
  if (top_left != top_right) return top_left > top_right;
  return shift >= 0 ? (left << shift) >= right : left >= (right << -shift);
}

// ⌈log2(a / (maxE·T))⌉
static int ceil_log2_over_max(const bk_job *job, float amax) {
  bk_exact d = bk_product(bk_split(job->tensor_scale), bk_split(job->element.max_value));
  int e = floor_log2(amax, d);
  return e + (bk_compare(amax, ldexp(1, e), d) > 0);
}

static int e8m0_exponent(const bk_job *job, float amax) {
  const bk_scale *s = &job->scale;
  if (s->bump == BK_BUMP_OVER_MAX) return ceil_log2_over_max(job, amax);
  bk_exact t = bk_split(job->tensor_scale);
  int e = floor_log2(amax, t), bump = 0;
  if (s->bump == BK_BUMP_ROOT_TWO) {
    bump = at_least_root_two(amax, t, e);
  } else if (s->bump != BK_BUMP_NEVER) {
    int side = bk_compare(amax, ldexp(1 + ldexp((double)s->bump_fraction, -23), e), t);
    bump = s->bump == BK_BUMP_ABOVE ? side > 0 : side >= 0;
  }
  return e + bump - s->element_exponent;
}

static uint32_t e8m0_exact(const bk_job *job, float amax, int *clamped) {
  int exponent = e8m0_exponent(job, amax);
  *clamped = exponent < -127 || exponent > 127;
  return (uint32_t)((exponent < -127 ? -127 : exponent > 127 ? 127 : exponent) + 127);
}

static uint32_t power_of_two_exact(const bk_job *job, float amax, int *clamped) {
  int e = ceil_log2_over_max(job, amax);
  *clamped = e < -149 || e > 127;
  e = e < -149 ? -149 : e > 127 ? 127 : e;
  return bk_bits((float)ldexp(1, e));
}

uint32_t bk_scale_exact(const bk_job *job, float amax, int *clamped) {
  *clamped = 0;
  const bk_scale *s = &job->scale;
  if (!isfinite(amax)) return s->nan_code;
  if (amax == 0) return 0;
  if (s->kind == BK_SCALE_E8M0) return e8m0_exact(job, amax, clamped);
  if (s->kind == BK_SCALE_POWER_OF_TWO_FP32) return power_of_two_exact(job, amax, clamped);
  bk_exact d = bk_product(bk_split(job->tensor_scale), bk_split(job->element.max_value));
  uint32_t code = bk_magnitude_exact(&s->format, amax, d);
  if (code > s->format.max_code) {
    *clamped = 1;
    return s->format.max_code;
  }
  if (code == 0) {
    *clamped = 1;
    return 1;
  }
  return code;
}

uint32_t bk_exact_scale(const bk_job *job, float amax, int *clamped) {
  return bk_scale_exact(job, amax, clamped);
}

void bk_decode_scales(const bk_scale *scale, const uint32_t *codes, size_t count, float *output) {
  for (size_t i = 0; i < count; i++) {
    float value = bk_scale_value(scale, codes[i]);
    output[i] = value == value ? value : bk_float(0x7fc00000);
  }
}
