#include "recipe_scale.h"

#pragma STDC FP_CONTRACT OFF

// float32 log2, correctly rounded: float64 log2 is accurate far beyond float32's halfway points.
static float log2_float(float a) { return (float)log2((double)a); }

// The same, where the result becomes an integer: far below every exponent for 0.
static float log2_or_low(float a) { return a > 0 ? log2_float(a) : -1024; }

static float round_to_input(float x, int compute_type) {
  if (compute_type == 1 && x == x) {  // bf16
    uint32_t bits = bk_bits(x);
    if ((bits & 0x7fffffff) < 0x7f800000) bits = (bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000;
    return bk_float(bits);
  }
  if (compute_type == 2) return (float)(_Float16)x;
  return x;
}

// rcp.approx.ftz with the recipe's exceptions.
static float approximate_reciprocal(const bk_recipe *r, float x) {
  uint32_t bits = bk_bits(x);
  for (int i = 0; i < r->reciprocal_count; i++)
    if (r->reciprocal_arguments[i] == bits) return bk_float(r->reciprocal_results[i]);
  if ((bits & 0x7f800000) == 0) x = bk_float(bits & 0x80000000);
  float y = 1.0f / x;
  return (bk_bits(y) & 0x7f800000) == 0 ? bk_float(bk_bits(y) & 0x80000000) : y;
}

static float safe_reciprocal(float v) { return 1.0f / (v + (v == 0 ? 1e8f : 0.0f)); }

static float scale_value(const bk_job *job, const bk_recipe *r, float a) {
  float max = job->element.max_value, g = r->encode_scale, p = r->decode_scale;
  switch (r->scale_value) {
  case VALUE_DIVIDE: return a / max;
  case VALUE_TIMES_RECIPROCAL: {
    float reciprocal = 1.0f / max;
    return a * reciprocal;
  }
  case VALUE_TIMES_G_RECIPROCAL: {
    float reciprocal = 1.0f / max, product = g * reciprocal;
    return a * product;
  }
  case VALUE_DIVIDE_TIMES_G: {
    float t = a / max;
    return t * g;
  }
  case VALUE_RECIPROCAL_TIMES_G: {
    float reciprocal = 1.0f / max, t = a * reciprocal;
    return t * g;
  }
  case VALUE_APPROXIMATE_TIMES_G: {
    float t = a * approximate_reciprocal(r, max);
    return t * g;
  }
  case VALUE_APPROXIMATE: return a * approximate_reciprocal(r, max);
  case VALUE_DIVIDE_BY_P: {
    float t = a / max;
    return t / p;
  }
  case VALUE_DIVIDE_BY_MAX_P: {
    float product = max * p;
    return a / product;
  }
  case VALUE_INPUT_DIVIDE_TIMES_G: return g * round_to_input(a / max, r->compute_type);
  case VALUE_ENCODE_DIVIDE: return max / a;
  case VALUE_SIGNED_DIVIDE: return a / -(float)((job->element.code_mask >> 1) + 1);
  case VALUE_HALF_SPAN: return a / ((float)job->element.code_mask / 2);
  default: return a;  // exponents are read off `a` itself
  }
}

// The biased E8M0 byte before it is clamped.
static int64_t exponent_byte(const bk_job *job, const bk_recipe *r, float v) {
  uint32_t bits = bk_bits(v) & 0x7fffffff;
  int from_amax = r->scale_value == VALUE_EXPONENT || r->scale_value == VALUE_LOG2;
  int emax = from_amax ? job->scale.element_exponent : 0;
  int mantissa_bits = r->even_mantissa_bits >= 0 ? r->even_mantissa_bits : job->element.mantissa_bits;
  if (r->scale_value == VALUE_LOG2 && v == 0) v = 0x1p-126f;
  switch (r->scale_rounding) {
  case SCALE_CEIL: return (int64_t)(bits >> 23) + ((bits & 0x7fffff) != 0) - emax;
  case SCALE_CEIL_GUARD:
    if (bits >> 23 == 0) return bits > 0x400000;
    return (int64_t)(bits >> 23) + ((bits & 0x7fffff) != 0) - emax;
  case SCALE_EVEN: return (int64_t)((bits + (1u << (22 - mantissa_bits))) >> 23) - emax;
  case SCALE_RINT_LOG2: return (int64_t)rintf(log2_or_low(v)) + 127 - emax;
  case SCALE_CEIL_LOG2: return (int64_t)ceilf(log2_or_low(v)) + 127 - emax;
  case SCALE_FLOOR:
    if (r->scale_value == VALUE_LOG2) return (int64_t)floorf(log2_float(v)) + 127 - emax;
    return (int64_t)(bits >> 23) - emax;
  default: {  // the roundings of other scale formats: the nearest power, ties to the even byte
    uint32_t fraction = bits & 0x7fffff, field = bits >> 23;
    int up = fraction > 0x400000 || (fraction == 0x400000 && (field & 1));
    return (int64_t)field + up - emax;
  }
  }
}

static int store_exponent(const bk_job *job, const bk_recipe *r, float v, recipe_block *out) {
  int64_t byte = exponent_byte(job, r, v);
  int64_t low = r->has_clamp ? (int64_t)r->clamp_low : 0;
  int64_t high = r->has_clamp ? (int64_t)r->clamp_high : 255;
  out->clamped = byte < low || byte > high;
  if (out->clamped && r->overflow != OVERFLOW_WRAP) {
    if (byte < low) byte = low;
    else if (r->overflow == OVERFLOW_SATURATE) byte = high;
    else if (r->overflow == OVERFLOW_UNKNOWN) return BK_UNKNOWN_OVERFLOW;
    else byte = job->scale.nan_code;
  }
  out->code = (uint32_t)byte & 0xff;
  return BK_OK;
}

// ggml's float32 to UE4M3: half up on one guard bit, the top exponent field going to the largest.
static uint32_t half_up_ue4m3(float v) {
  if (!(v > 0)) return 0;
  if (v > 448) v = 448;
  int exponent = (int)(bk_bits(v) >> 23) - 127 + 7;
  if (exponent <= 0) {
    int k = (int)(v * 512 + 0.5f);
    return (uint32_t)(k > 7 ? 7 : k);
  }
  uint32_t k = ((bk_bits(v) & 0x7fffff) + 0x80000) >> 20;
  if (k > 7) k = 0, exponent++;
  return exponent >= 15 ? 0x7e : ((uint32_t)exponent << 3) | k;
}

// What a scale above the range becomes; returns a BK_ status.
static int overflowed(const bk_job *job, const bk_recipe *r, uint32_t sign, recipe_block *out) {
  const bk_element *f = &job->scale.format;
  out->clamped = 1;
  switch (r->overflow) {
  case OVERFLOW_SATURATE: out->code = f->max_code | sign; return BK_OK;
  case OVERFLOW_NAN: out->code = job->scale.nan_code; return BK_OK;
  case OVERFLOW_INFINITY:
    out->code = f->has_infinity ? f->infinity_code | sign : job->scale.nan_code;
    return BK_OK;
  default: return BK_UNKNOWN_OVERFLOW;
  }
}

static int store_float(const bk_job *job, const bk_recipe *r, float v, recipe_block *out) {
  const bk_element *f = &job->scale.format;
  uint32_t sign = bk_bits(v) >> 31 ? f->sign_mask : 0;
  if (isinf(v)) return overflowed(job, r, sign, out);
  uint32_t k = bk_bits(v) & 0x7fffffff;
  if (f->mantissa_bits < 23) k = bk_magnitude_exact(f, fabsf(v), bk_split(1));
  if (k > f->max_code) return overflowed(job, r, sign, out);
  out->code = k | sign;
  return BK_OK;
}

static float factor_of(const bk_job *job, const bk_recipe *r, float a, float encode, float d,
                       uint32_t code) {
  float s = bk_scale_value(&job->scale, code), g = r->encode_scale, p = r->decode_scale;
  switch (r->multiplier) {
  case TIMES_OVER_SP: return s * p;
  case TIMES_OVER_S_OVER_G: return s / g;
  case TIMES_RECIPROCAL_S: return 1.0f / s;
  case TIMES_GUARDED: {
    float decode = 1.0f / g, product = s * decode, reciprocal = 1.0f / product;
    return reciprocal < 0x1.fffffep127f ? reciprocal : 0x1.fffffep127f;
  }
  case TIMES_SAFE: {
    float product = s * safe_reciprocal(g);
    return safe_reciprocal(product);
  }
  case TIMES_RECIPROCAL_P_OVER_S: {
    float reciprocal = 1.0f / p;
    return reciprocal / s;
  }
  case TIMES_G_OVER_S: return g / s;
  case TIMES_APPROXIMATE:
    return a == 0 ? 0 : approximate_reciprocal(r, s * approximate_reciprocal(r, g));
  case TIMES_APPROXIMATE_SCALE_GUARD:
    return s == 0 ? 0 : approximate_reciprocal(r, s * approximate_reciprocal(r, g));
  case TIMES_POWER_OF_TWO: return s != s ? s : bk_float(code == 254 ? 0x400000 : (254 - code) << 23);
  case TIMES_ENCODE: return encode;
  case TIMES_RECIPROCAL_UNROUNDED: return d == 0 ? 0 : 1.0f / d;
  default: return s;
  }
}

int recipe_divides(const bk_recipe *r) {
  return r->multiplier == TIMES_OVER_S || r->multiplier == TIMES_OVER_SP ||
         r->multiplier == TIMES_OVER_S_OVER_G || r->multiplier == TIMES_OVER_POWER_OF_TWO;
}

static int store_value(const bk_job *job, const bk_recipe *r, float v, recipe_block *out) {
  if (r->has_clamp) {
    if ((double)v < r->clamp_low) {
      v = (float)r->clamp_low;
      out->clamped = 1;
    }
    if ((double)v > r->clamp_high) {
      if (r->overflow != OVERFLOW_SATURATE) return overflowed(job, r, 0, out);
      v = (float)r->clamp_high;
      out->clamped = 1;
    }
  }
  int status = BK_OK;
  if (r->scale_rounding == SCALE_HALF_UP_1) out->code = half_up_ue4m3(v);
  else status = store_float(job, r, v, out);
  if (r->zero_rule == ZERO_CODE && out->code == 0) out->code = r->zero_code;
  return status;
}

// The encode-side factor max/a, of which the reciprocal is stored.
static int store_reciprocal(const bk_job *job, const bk_recipe *r, float *factor,
                            recipe_block *out) {
  static const float largest[] = {0x1.fffffep127f, 0x1.fep127f, 65504};
  int infinite = isinf(*factor);
  if (infinite) {
    if (r->overflow != OVERFLOW_SATURATE) return BK_UNKNOWN_FACTOR_OVERFLOW;
    *factor = largest[r->compute_type];
  }
  if (r->scale_rounding == SCALE_ENCODE_POWER_OF_TWO)
    *factor = bk_float(bk_bits(*factor) & 0xff800000);
  int status = store_value(job, r, 1.0f / *factor, out);
  out->clamped |= infinite;
  return status;
}

// A code that the recipe gives outright, and the numbers that follow from it; below 0: `unknown`.
static int fixed_code(const bk_job *job, int64_t code, int unknown, float *d, float *encode,
                      recipe_block *out) {
  if (code < 0) return unknown;
  out->code = (uint32_t)code;
  *d = bk_scale_value(&job->scale, out->code);
  *encode = 1.0f / *d;
  return BK_OK;
}

static int stored_scale(const bk_job *job, const bk_recipe *r, float a, float stretch, float *d,
                        float *encode, recipe_block *out) {
  int64_t nan = r->nan_scale, infinity = r->infinity_scale;
  if (a != a) return fixed_code(job, nan, BK_UNKNOWN_NAN_AMAX_SCALE, d, encode, out);
  if (isinf(a)) return fixed_code(job, infinity, BK_UNKNOWN_INFINITE_AMAX_SCALE, d, encode, out);
  if (a == 0 && r->zero_rule == ZERO_UNKNOWN) return BK_UNKNOWN_ZERO_SCALE;
  if (a == 0 && r->zero_rule == ZERO_AMAX)
    return fixed_code(job, r->zero_code, BK_OK, d, encode, out);
  float v = scale_value(job, r, a);
  if (stretch != 1) v = v * stretch;
  if (r->scale_value == VALUE_ENCODE_DIVIDE) {
    *encode = v;
    int status = store_reciprocal(job, r, encode, out);
    *d = bk_scale_value(&job->scale, out->code);
    return status;
  }
  if (v != v) return fixed_code(job, nan, BK_UNKNOWN_NAN_SCALE, d, encode, out);
  if (isinf(v)) return fixed_code(job, infinity, BK_UNKNOWN_INFINITE_SCALE, d, encode, out);
  if (r->zero_rule == ZERO_VALUE && v == 0) v = r->zero_value;
  *d = v;
  int status = job->scale.kind == BK_SCALE_E8M0 ? store_exponent(job, r, v, out)
                                                : store_value(job, r, v, out);
  if (job->scale.kind == BK_SCALE_E8M0 && r->zero_rule == ZERO_CODE && out->code == 0)
    out->code = r->zero_code;
  return status;
}

int recipe_scale(const bk_job *job, const bk_recipe *r, float a, float stretch, recipe_block *out) {
  float d = 0, encode = 0;
  out->code = 0;
  out->clamped = 0;
  if (r->multiplier == TIMES_UNKNOWN) return BK_UNKNOWN_MULTIPLIER;
  int status = stored_scale(job, r, a, stretch, &d, &encode, out);
  out->factor = factor_of(job, r, a, encode, d, out->code);
  int guarded = r->multiplier == TIMES_RECIPROCAL_S || r->multiplier == TIMES_POWER_OF_TWO ||
                r->multiplier == TIMES_OVER_POWER_OF_TWO;
  if (out->code == 0 && guarded) {
    int divides = recipe_divides(r);
    if (r->byte_zero_multiplier == BYTE_ZERO_ONE) out->factor = 1;
    if (r->byte_zero_multiplier == BYTE_ZERO_ZERO) out->factor = divides ? INFINITY : 0;
    if (r->byte_zero_multiplier == BYTE_ZERO_HALVED) out->factor = divides ? 0x1p-126f : 0x1p126f;
  }
  return status;
}
