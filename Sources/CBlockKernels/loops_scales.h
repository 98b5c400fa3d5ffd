// From block maxima to stored scales and the factors that elements are multiplied or divided by.

// E8M0 with T = 1 from the exponent's bits. Returns codes; `odd_ones` marks subnormal maxima.
INLINE vu e8m0_lanes(vu amax, const bk_scale *s, uint32_t max_fraction, vu *moved, vi *odd_ones) {
  vu fraction = amax & 0x7fffffu, field = amax >> 23;
  uint32_t above = s->bump == BK_BUMP_NEVER      ? 0x7fffff
                   : s->bump == BK_BUMP_ABOVE    ? s->bump_fraction
                   : s->bump == BK_BUMP_AT_LEAST ? s->bump_fraction - 1
                   : s->bump == BK_BUMP_ROOT_TWO ? 0x3504f3
                                                 : max_fraction;
  vi e = (vi)field - (fraction > above) - s->element_exponent;
  *odd_ones = (field == 0) & (fraction != 0);
  vi zero = e - e;
  vi clamped = e < 0 ? zero : e > 254 ? zero + 254 : e;
  *moved = mask_u((clamped != e) & (amax != 0)) & 1;
  return select_u(amax == 0, (vu)zero, (vu)clamped);
}

// A scale with a mantissa, a/(maxE·T) known to within 4 units in the last place.
INLINE vu float_scale_lanes(vu amax, float reciprocal, const encoder *p, uint32_t max_code,
                            vu *moved, vi *unsure) {
  vf a = min_f(bits_f(amax) * reciprocal, (vf)(p->max_positive * 2));
  uint32_t up = (uint32_t)p->shift << 23, units = 1u << (p->mantissa_bits + 6);
  vu binade = max_magnitude(bits_u(a) & 0x7f800000u, (vu)bk_bits(p->min_normal));
  vf magic = bits_f(binade + up), sum = a + magic;
  vu k = bits_u(sum) - bits_u(magic) + ((binade - bk_bits(p->min_normal)) >> p->shift);
  // As in the hot loops: half a step less what the error can amount to.
  vu rest = magnitude_u((sum - magic) - a);
  *unsure = (vi)(binade + (up - (24u << 23) - units) - rest) < 0;
  // Ranges as wide as float32's: no magic above the top binades, inexact quotients at the bottom.
  if (p->deep)
    *unsure |= ((amax != 0) & (bits_u(a) < bk_bits(TINY))) | (bits_u(magic) >= 0x7f800000u);
  vu one = k - k + 1;
  vi vanished = (k == 0) & (amax != 0), beyond = k > max_code;
  *moved = mask_u(vanished | beyond) & 1;
  return select_u(vanished, one, select_u(beyond, one - 1 + max_code, k));
}

// FP32 with T = 1: IEEE division is the definition.
INLINE vu fp32_scale_lanes(vu amax, float max_value, vu *moved) {
  vu k = bits_u(bits_f(amax) / max_value);
  vu one = k - k + 1;
  vi vanished = (k == 0) & (amax != 0), beyond = k >= 0x7f800000u;
  *moved = mask_u(vanished | beyond) & 1;
  return select_u(vanished, one, select_u(beyond, one - 1 + 0x7f7fffffu, k));
}

static __attribute__((noinline)) void settle_scales(const bk_job *job, vu amax, vi exact, int lanes,
                                                    vu *k, vu *moved) {
  for (int l = 0; l < lanes; l++) {
    if (!exact[l]) continue;
    int was_moved;
    (*k)[l] = bk_scale_exact(job, bk_float(amax[l]), &was_moved);
    (*moved)[l] = (uint32_t)was_moved;
  }
}

// The stored scales of `count` blocks; returns how many were moved to an end of the range.
static int64_t store_scales(const bk_job *job, const prepared *ready, const uint32_t *amax,
                            int64_t count, uint32_t *scales) {
  const bk_scale *s = &job->scale;
  int fp32 = s->kind == BK_SCALE_FLOAT && s->format.mantissa_bits == 23;
  float d = job->element.max_value * job->tensor_scale, reciprocal = 1 / d;
  int plain = job->tensor_scale == 1;
  int vector = s->kind == BK_SCALE_FLOAT ? (fp32 ? plain : d > TINY && d < 1 / TINY)
                                         : s->kind == BK_SCALE_E8M0 && plain;
  const encoder p = ready->scale;
  uint32_t max_fraction = bk_bits(job->element.max_value) & 0x7fffff;
  vu clamped = {0};
  for (int64_t b = 0; b < count; b += LANES) {
    // Maxima have room for whole vectors; scales end with the caller's buffer.
    vu a = load_u(amax + b), moved = {0}, k = {0};
    int lanes = count - b < LANES ? (int)(count - b) : LANES;
    vi exact = ALL_LANES;
    if (vector) {
      exact = NO_LANES;
      k = s->kind == BK_SCALE_E8M0 ? e8m0_lanes(a, s, max_fraction, &moved, &exact)
          : fp32                   ? fp32_scale_lanes(a, job->element.max_value, &moved)
                                   : float_scale_lanes(a, reciprocal, &p, s->format.max_code, &moved,
                                                       &exact);
      exact |= a >= 0x7f800000u;
    }
    if (any(exact)) settle_scales(job, a, exact, lanes, &k, &moved);
    if (lanes == LANES) {
      store_u(scales + b, k);
      clamped += moved;
    } else {
      for (int l = 0; l < lanes; l++) {
        scales[b + l] = k[l];
        clamped[l] += moved[l];
      }
    }
  }
  return __builtin_reduce_add(clamped);
}

// A factor that float32 cannot hold: its elements are settled exactly. The payload puts it in doubt
// in the narrow loop too.
#define NO_FACTOR 0x7fc10000u

// Powers of two: the reciprocal from the exponent's bits. NaN where float32 has none, 0 for NaN.
INLINE vf power_of_two_factor(vu scale, int is_e8m0) {
  vu field = is_e8m0 ? scale : scale >> 23, zero = scale - scale;
  vu bits = select_u(field == 254, zero + 0x00400000u, (254 - field) << 23);
  vi unknown = is_e8m0 ? NO_LANES : field == 0;
  bits = select_u(unknown & (scale != 0), zero + NO_FACTOR, bits);
  if (!is_e8m0) bits = select_u(scale == 0, zero + 0x3f800000u, bits);
  return bits_f(select_u(field >= 255, zero, bits));
}

static void make_factors(const bk_job *job, const prepared *ready, const uint32_t *scales, int64_t count, float *factor,
                         int32_t *method, int *special) {
  const bk_scale *s = &job->scale;
  int power = s->kind != BK_SCALE_FLOAT && job->tensor_scale == 1;
  uint32_t t_fraction = bk_bits(job->tensor_scale) & 0x7fffff;
  int scale_bits = s->kind == BK_SCALE_FLOAT ? s->format.mantissa_bits + 1 : 1;
  int value_bits = job->element.min_exponent > 127
                       ? 32 - __builtin_clz(job->element.max_code_negative) + 1
                       : job->element.mantissa_bits + 2;
  int quotient = !job->element.is_codebook && t_fraction == 0 && scale_bits + value_bits <= 24 &&
                 job->rounding != BK_ROUND_STOCHASTIC;
  int deep = !job->element.is_codebook && job->element.min_exponent - job->element.mantissa_bits < -90;
  *method = power && !job->element.is_codebook ? BK_TIMES : quotient && !deep ? BK_OVER : BK_CHECKED;
  int over = *method == BK_OVER, unknown = 0;
  vi nan = NO_LANES;
  const decoder p = ready->scale_decoder;
  for (int64_t b = 0; b < count; b += LANES) {
    vu code = {0};
    if (b + LANES <= count) code = load_u(scales + b);
    else
      for (int l = 0; b + l < count; l++) code[l] = scales[b + l];
    vf f;
    if (power) {
      f = power_of_two_factor(code, s->kind == BK_SCALE_E8M0);
    } else {
      vf value = s->kind == BK_SCALE_FLOAT ? decode_lanes(code & ~s->ignored_bits, &p)
                 : s->kind == BK_SCALE_E8M0
                     ? bits_f(select_u(code == 0, code - code + 0x00400000u,
                                       select_u(code == 255, code - code + 0x7fc00000u, code << 23)))
                     : bits_f(code);
      vf d = value * job->tensor_scale, nan = bits_f(code - code + NO_FACTOR);
      vf inside = over ? d : 1 / d;
      f = select_f((d > TINY) & (d < 1 / TINY), inside, nan);
      f = select_f(value == 0, (vf)1.0f, f);
      f = select_f(value != value, (vf)0.0f, f);
    }
    unknown |= any(f != f);
    nan |= f == 0;
    store_f(factor + b, f);
  }
  *special = any(nan);
  if (!unknown) return;
  *method = BK_CHECKED;
  for (int64_t b = 0; over && b < count; b++)
    if (factor[b] == factor[b]) factor[b] = 1 / factor[b];
}

// The lanes of `exact` by themselves: codes, whether they were moved, and values.
static __attribute__((noinline)) void settle_values(const bk_job *job, vu amax, vi exact, int lanes,
                                                    vu *k, vu *moved, vf *value) {
  settle_scales(job, amax, exact, lanes, k, moved);
  for (int l = 0; l < lanes; l++)
    if (exact[l]) (*value)[l] = bk_scale_value(&job->scale, (*k)[l]);
}

// Whether the pass below does what store_scales and make_factors do.
static int has_near_scales(const bk_job *job, const prepared *ready) {
  const bk_scale *s = &job->scale;
  float d = job->element.max_value * job->tensor_scale;
  return s->kind == BK_SCALE_FLOAT && s->format.mantissa_bits < 23 && !ready->scale.deep &&
         (bk_bits(job->tensor_scale) & 0x7fffff) != 0 && d > TINY && d < 1 / TINY;
}

// Scales with a mantissa and a tensor scale that is no power of two, in one pass: the rounded value
// is at hand before its code is.
static int64_t near_scales(const bk_job *job, const prepared *ready, const uint32_t *amax,
                           int64_t count, uint32_t *scales, float *factor, int *special) {
  const encoder *p = &ready->scale;
  const float t = job->tensor_scale, reciprocal = 1 / (job->element.max_value * t);
  const float largest = p->max_positive, smallest = (float)bk_magnitude(&job->scale.format, 1);
  const uint32_t min_normal = bk_bits(p->min_normal), max_code = job->scale.format.max_code;
  const uint32_t up = (uint32_t)p->shift << 23, units = 1u << (p->mantissa_bits + 6);
  const uint32_t to_margin = up - (24u << 23) - units;
  const int32_t shift = p->shift;
  vu clamped = {0};
  vi nan = NO_LANES;
  for (int64_t b = 0; b < count; b += LANES) {
    // Maxima and factors have room for whole vectors; scales end with the caller's buffer.
    vu m = load_u(amax + b), none = m - m;
    vf a = min_f(bits_f(m) * reciprocal, (vf)(largest * 2));
    vu binade = max_magnitude(bits_u(a) & 0x7f800000u, none + min_normal);
    vf magic = bits_f(binade + up), sum = a + magic, value = sum - magic;
    vi unsure = (vi)(binade + to_margin - magnitude_u(value - a)) < 0;
    unsure |= m >= 0x7f800000u;
    vu raw = bits_u(sum) - bits_u(magic) + ((binade - min_normal) >> shift);
    vu k = max_magnitude(raw, none + 1);
    k = (vi)k > (vi)(none + max_code) ? none + max_code : k;
    vi zero = m == 0;
    vu moved = mask_u((k != raw) & ~zero) & 1;
    k = select_u(zero, none, k);
    value = value > smallest ? value : (vf)smallest;
    value = min_f(value, (vf)largest);
    if (__builtin_expect(any(unsure), 0)) {
      // By way of copies: what a function may change cannot stay in a register.
      vu codes = k, changes = moved;
      vf values = value;
      int lanes = count - b < LANES ? (int)(count - b) : LANES;
      settle_values(job, m, unsure, lanes, &codes, &changes, &values);
      k = codes, moved = changes, value = values;
    }
    vf d = value * t, f = 1 / d;
    f = select_f((d > TINY) & (d < 1 / TINY), f, bits_f(none + NO_FACTOR));
    f = select_f(zero, (vf)1.0f, select_f(value != value, (vf)0.0f, f));
    nan |= f == 0;
    store_f(factor + b, f);
    if (count - b >= LANES) {
      store_u(scales + b, k);
      clamped += moved;
      continue;
    }
    for (int l = 0; b + l < count; l++) {
      scales[b + l] = k[l];
      clamped[l] += moved[l];
    }
  }
  *special = any(nan);
  return __builtin_reduce_add(clamped);
}

static int64_t scales_and_factors(const bk_job *job, const prepared *ready, const uint32_t *amax, int64_t count, int given,
                                  uint32_t *scales, float *factor, int32_t *method,
                                  int *special) {
  if (!given && has_near_scales(job, ready)) {
    *method = BK_CHECKED;
    return near_scales(job, ready, amax, count, scales, factor, special);
  }
  int64_t clamped = given ? 0 : store_scales(job, ready, amax, count, scales);
  make_factors(job, ready, scales, count, factor, method, special);
  return clamped;
}
