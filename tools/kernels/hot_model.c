#include "hot_model.h"

#include <math.h>
#include <stdlib.h>

#include "harness.h"

#pragma STDC FP_CONTRACT OFF

static unsigned __int128 magnitude(__int128 x) {
  return x < 0 ? -(unsigned __int128)x : (unsigned __int128)x;
}

static int length(unsigned __int128 x) {
  int n = 0;
  while (x != 0) x >>= 1, n++;
  return n;
}

uint32_t model_round(model_number x, int mantissa, int to_nearest) {
  if (x.units == 0) return 0;
  uint32_t sign = x.units < 0 ? 0x80000000u : 0;
  unsigned __int128 m = magnitude(x.units);
  int top = length(m) - 1 + x.exponent, last = (top < -126 ? -126 : top) - mantissa;
  int cut = last - x.exponent;
  if (cut > 0) {
    unsigned __int128 kept = cut > 126 ? 0 : m >> cut;
    if (to_nearest && cut <= 127) {
      unsigned __int128 rest = m - (cut > 126 ? 0 : kept << cut), half = (unsigned __int128)1 << (cut - 1);
      kept += rest > half || (rest == half && (kept & 1));
    }
    m = kept;
  } else {
    m <<= -cut;
  }
  if (m >> (mantissa + 1)) m >>= 1, last++;
  if (m == 0) return sign;
  if (last + mantissa > 127) return sign | 0x7f800000;
  uint32_t fraction = (uint32_t)m << (23 - mantissa);
  if (m >> mantissa == 0) return sign | fraction;
  return sign | ((uint32_t)(last + mantissa + 127) << 23) | (fraction & 0x7fffff);
}

model_number model_sum(model_number a, model_number b) {
  if (a.units == 0) return b;
  if (b.units == 0) return a;
  if (a.exponent < b.exponent) return model_sum(b, a);
  // Sums of the cases fit; a driver that loses bits must not go on.
  if (length(magnitude(a.units)) + a.exponent - b.exponent > 125) abort();
  a.units = a.units * ((__int128)1 << (a.exponent - b.exponent)) + b.units;
  return (model_number){a.units, b.exponent};
}

model_number model_float(uint32_t bits) {
  int e = (int)(bits >> 23 & 255);
  __int128 m = (bits & 0x7fffff) | (e ? 0x800000 : 0);
  return (model_number){bits >> 31 ? -m : m, (e ? e : 1) - 150};
}

model_number model_element(const bk_element *e, uint32_t code, int *exponent) {
  code &= e->code_mask;
  uint32_t k = code & ~e->sign_mask, field = k >> e->mantissa_bits;
  __int128 m = (k & ((1u << e->mantissa_bits) - 1)) | (field ? 1u << e->mantissa_bits : 0);
  *exponent = e->min_exponent + (field ? (int)field - 1 : 0);
  return (model_number){code & e->sign_mask ? -m : m, *exponent - e->mantissa_bits};
}

model_number model_scale(const bk_operand *o, int64_t line, int64_t k, int *exponent) {
  *exponent = 0;
  if (!o->scale) return (model_number){1, 0};
  int64_t blocks = (o->depth + o->block - 1) / o->block;
  uint32_t code = o->scale_codes[line * blocks + k / o->block] & ~o->scale->ignored_bits;
  if (o->scale->kind == BK_SCALE_E8M0) {
    *exponent = (int)code - 127;
    return (model_number){1, *exponent};
  }
  return model_element(&o->scale->format, code, exponent);
}

static model_number value(const bk_operand *o, int64_t line, int64_t k, int *exponent) {
  return model_element(o->element, ((const uint8_t *)o->codes)[line * o->depth + k], exponent);
}

static model_number product(model_number a, model_number b) {
  return (model_number){a.units * b.units, a.exponent + b.exponent};
}

// The magnitude cut to multiples of 2^last.
static model_number cut(model_number x, int last) {
  int shift = last - x.exponent;
  if (shift <= 0) return x;
  unsigned __int128 m = shift > 127 ? 0 : magnitude(x.units) >> shift;
  return (model_number){x.units < 0 ? -(__int128)m : (__int128)m, last};
}

// The sum of terms with their exponents, cut to 2^(e_max − fraction).
typedef struct {
  model_number terms[80];
  int exponents[80], count, zero_exponent;
} step;

static void add_term(step *s, model_number x, int exponent) {
  s->terms[s->count] = x;
  s->exponents[s->count++] = x.units == 0 ? s->zero_exponent : exponent;
}

static uint32_t finish_step(step *s, uint32_t c, const bk_accumulator *u) {
  int c_exponent = (int)(c >> 23 & 255);
  add_term(s, model_float(c), (c_exponent ? c_exponent : 1) - 127);
  int e = s->exponents[0];
  for (int i = 1; i < s->count; i++)
    if (s->exponents[i] > e) e = s->exponents[i];
  model_number sum = {0, 0};
  for (int i = 0; i < s->count; i++) sum = model_sum(sum, cut(s->terms[i], e - u->align_fraction));
  return model_round(sum, u->mantissa_bits, 0);
}

static uint32_t with_tensor_scales(const bk_matmul *p, uint32_t d) {
  if (!p->a.has_tensor_scale && !p->b.has_tensor_scale) return d;
  float a = p->a.has_tensor_scale ? p->a.tensor_scale : 1;
  float b = p->b.has_tensor_scale ? p->b.tensor_scale : 1, both = a * b;
  d = bits_of(float_of(d) * both);
  return (d << 1) > 0xff000000 ? p->accumulator.nan : d;
}

int64_t model_groups(const bk_matmul *p, int64_t i, int64_t j) {
  uint32_t c = p->c ? (uint32_t)p->c[i * p->b.lines + j] : 0;
  for (int64_t k = 0; k < p->a.depth;) {
    step s = {.zero_exponent = p->accumulator.zero_exponent};
    for (int g = 0; g < 4 && k < p->a.depth; g++) {
      int64_t end = k + 16 < p->a.depth ? k + 16 : p->a.depth;
      int a_exponent, b_exponent, ignored, occupied = 0;
      model_number a = model_scale(&p->a, i, k, &a_exponent);
      model_number b = model_scale(&p->b, j, k, &b_exponent), sum = {0, 0};
      for (; k < end; k++) {
        model_number x = product(value(&p->a, i, k, &ignored), value(&p->b, j, k, &ignored));
        occupied |= x.units != 0;
        sum = model_sum(sum, x);
      }
      model_number scaled = product(product(a, b), sum);
      add_term(&s, scaled, a_exponent + b_exponent);
      // A group that cancels keeps its scales' exponent.
      if (occupied && a.units != 0 && b.units != 0)
        s.exponents[s.count - 1] = a_exponent + b_exponent;
    }
    c = finish_step(&s, c, &p->accumulator);
  }
  return with_tensor_scales(p, c);
}

// The sum of all scaled products.
static model_number whole_sum(const bk_matmul *p, int64_t i, int64_t j) {
  model_number sum = {0, 0};
  for (int64_t k = 0; k < p->a.depth; k++) {
    int ignored;
    model_number scale = product(model_scale(&p->a, i, k, &ignored), model_scale(&p->b, j, k, &ignored));
    sum = model_sum(sum, product(scale, product(value(&p->a, i, k, &ignored),
                                                value(&p->b, j, k, &ignored))));
  }
  return sum;
}

int64_t model_exact(const bk_matmul *p, int64_t i, int64_t j) {
  model_number sum = whole_sum(p, i, j);
  if (p->a.has_tensor_scale) sum = product(sum, model_float(bits_of(p->a.tensor_scale)));
  if (p->b.has_tensor_scale) sum = product(sum, model_float(bits_of(p->b.tensor_scale)));
  model_number c = p->c ? model_float((uint32_t)p->c[i * p->b.lines + j]) : (model_number){0, 0};
  // A sum far below c only breaks ties, and c far below the sum's last bit too.
  int gap = length(magnitude(sum.units)) + sum.exponent - length(magnitude(c.units)) - c.exponent;
  if (sum.units != 0 && c.units != 0 && (gap < -26 || gap > 95)) {
    model_number *large = gap > 0 ? &sum : &c, *small = gap > 0 ? &c : &sum;
    while (length(magnitude(large->units)) < 110) large->units *= 2, large->exponent--;
    *small = (model_number){small->units < 0 ? -1 : 1, large->exponent - 1};
  }
  return model_round(model_sum(sum, c), 23, 1);
}

static int64_t integer(const bk_operand *o, int64_t line, int64_t k) {
  uint32_t code = ((const uint8_t *)o->codes)[line * o->depth + k];
  int64_t sign = o->element->twos_complement ? (o->element->code_mask + 1) / 2 : o->element->sign_mask;
  int64_t rest = code & (sign - 1);
  if (o->element->twos_complement) return rest - (code & sign);
  return code & sign ? -rest : rest;
}

static float scale_float(const bk_operand *o, int64_t line, int64_t k) {
  int ignored;
  return float_of(model_round(model_scale(o, line, k, &ignored), 23, 1));
}

// The exact product rounded once, with IEEE 754's sign of zero.
static float rounded_product(model_number x, float s) {
  model_number exact = product(x, model_float(bits_of(s)));
  uint32_t sign = (x.units < 0 ? 0x80000000u : 0) ^ (bits_of(s) & 0x80000000u);
  return float_of(exact.units == 0 ? sign : model_round(exact, 23, 1));
}

static int64_t scaled_integers(const bk_matmul *p, int64_t i, int64_t j) {
  float d = p->c ? float_of((uint32_t)p->c[i * p->b.lines + j]) : 0;
  int exponent = 2000 - p->a.element->mantissa_bits - p->b.element->mantissa_bits;
  for (int64_t k = 0; k < p->a.depth;) {
    float s = scale_float(&p->a, i, k) * scale_float(&p->b, j, k);
    int64_t sum = 0;
    do {
      sum += integer(&p->a, i, k) * integer(&p->b, j, k);
      k++;
    } while (k < p->a.depth && (!p->a.scale || k % p->a.block) && (!p->b.scale || k % p->b.block));
    d = d + rounded_product((model_number){sum, exponent}, s);
  }
  return with_tensor_scales(p, bits_of(d));
}

int64_t model_integer(const bk_matmul *p, int64_t i, int64_t j) {
  if (p->sums_runs) return scaled_integers(p, i, j);
  int64_t sum = p->c ? p->c[i * p->b.lines + j] : 0;
  for (int64_t k = 0; k < p->a.depth; k++) sum += integer(&p->a, i, k) * integer(&p->b, j, k);
  if (!p->accumulator.saturates) return (int32_t)(uint32_t)sum;
  return sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : sum;
}

int64_t model_products(const bk_matmul *p, int64_t i, int64_t j) {
  const bk_accumulator *u = &p->accumulator;
  uint32_t c = p->c ? (uint32_t)p->c[i * p->b.lines + j] : 0;
  for (int64_t k = 0; k < p->a.depth;) {
    step s = {.zero_exponent = u->zero_exponent};
    for (int l = 0; l < u->terms; l++, k++) {
      if (k >= p->a.depth) {
        add_term(&s, (model_number){0, 0}, 0);
        continue;
      }
      int exponents[4];
      model_number x = product(value(&p->a, i, k, &exponents[0]), value(&p->b, j, k, &exponents[1]));
      model_number scale = product(model_scale(&p->a, i, k, &exponents[2]),
                                   model_scale(&p->b, j, k, &exponents[3]));
      add_term(&s, product(x, scale), exponents[0] + exponents[1] + exponents[2] + exponents[3]);
    }
    c = finish_step(&s, c, u);
  }
  return with_tensor_scales(p, c);
}
