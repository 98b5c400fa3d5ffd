// What the loops need of a job, worked out once for a whole call.
#ifndef BK_PREPARED_H
#define BK_PREPARED_H

#include "element_exact.h"

#pragma STDC FP_CONTRACT OFF

// Binary digits that the narrow loop keeps behind the code, to see how near a boundary is.
#define FINE 17u

// What the loops need of a bk_element, spread out.
typedef struct {
  int32_t uniform;  // an integer: one quantum for every magnitude
  int32_t shift;    // mantissa bits of float32 that are dropped
  int32_t mantissa_bits, min_exponent;
  uint32_t rebias;  // subtracted from the shifted bits to give the code
  float magic;      // adding it leaves |x| / quantum in the low bits, tiesToEven
  float min_normal;
  float max_positive, max_negative;
  int32_t sign_shift;  // of the sign bit; -1 for two's complement
  uint32_t code_mask;
  int32_t has_negative_zero;
  int32_t deep;  // has values so small that float32 quotients near them are subnormal
  int32_t rounding, random_bits;
} encoder;

static inline encoder make_encoder(const bk_element *e, int rounding, int random_bits) {
  encoder p;
  int quantum = e->min_exponent - e->mantissa_bits;
  p.uniform = e->min_exponent > 127;
  p.shift = 23 - e->mantissa_bits;
  p.mantissa_bits = e->mantissa_bits;
  p.min_exponent = e->min_exponent;
  p.rebias = p.uniform ? 0 : (uint32_t)(126 + e->min_exponent) << e->mantissa_bits;
  p.magic = (float)bk_power(23 + quantum);
  p.min_normal = p.uniform ? INFINITY : (float)bk_power(e->min_exponent);
  p.max_positive = (float)bk_magnitude(e, e->max_code);
  p.max_negative = (float)bk_magnitude(e, e->max_code_negative);
  p.sign_shift = e->twos_complement ? -1 : e->sign_mask ? __builtin_ctz(e->sign_mask) : 31;
  p.code_mask = e->code_mask;
  p.has_negative_zero = e->has_negative_zero;
  p.deep = quantum < -90;
  p.rounding = rounding;
  p.random_bits = random_bits;
  return p;
}

typedef struct {
  int32_t uniform, twos_complement, shift, sign_shift, width_shift;
  uint32_t sign_mask, first_special, infinity_code, code_mask;
  int32_t has_infinity, has_specials, fnuz;
  uint32_t nan_positive;
  float factor;  // what the raw pattern read as a float32, or the integer, is multiplied by
} decoder;

static inline decoder make_decoder(const bk_element *e) {
  decoder p;
  p.uniform = e->min_exponent > 127;
  p.twos_complement = e->twos_complement;
  p.shift = 23 - e->mantissa_bits;
  p.sign_mask = e->twos_complement ? 0 : e->sign_mask;
  p.sign_shift = p.sign_mask ? 31 - __builtin_ctz(p.sign_mask) : 0;
  p.width_shift = e->code_mask ? __builtin_clz(e->code_mask) : 0;
  p.code_mask = e->code_mask;
  p.first_special = e->first_special;
  p.has_specials = e->has_nan;
  p.fnuz = e->has_nan && !e->has_negative_zero && e->sign_mask && !e->twos_complement;
  p.nan_positive = e->nan_positive;
  p.has_infinity = e->has_infinity;
  p.infinity_code = e->infinity_code;
  p.factor = (float)bk_power(p.uniform ? e->min_exponent - e->mantissa_bits : e->min_exponent + 126);
  return p;
}

typedef struct {
  float max_positive, max_negative, magic;
  uint32_t min_normal, to_magic, to_margin, to_fine, uniform_margin, sign_mask, code_mask;
  int32_t shift, sign_shift;
} hot_encoder;

static inline hot_encoder make_hot_encoder(const encoder *p, const bk_element *e) {
  hot_encoder h;
  h.max_positive = p->max_positive;
  h.max_negative = p->max_negative;
  h.magic = p->magic;
  h.shift = p->uniform ? 0 : p->shift;
  h.min_normal = bk_bits(p->min_normal);
  // An even number of steps in M leaves the rounding alone; these cancel the exponent's bias.
  uint32_t bias = p->uniform ? 0 : -(h.min_normal >> h.shift) & (e->sign_mask - 1);
  h.to_magic = ((uint32_t)h.shift << 23) + bias;
  h.sign_shift = 31 - p->sign_shift;
  h.sign_mask = e->sign_mask;
  h.code_mask = e->code_mask;
  // Half a step less what an error of 4 units in the last place of x can amount to there.
  int significand = p->uniform ? 32 - __builtin_clz(e->max_code_negative) : p->mantissa_bits + 1;
  uint32_t units = 1u << (significand + 1 + 24 - 20);
  h.to_fine = h.to_magic - (FINE << 23) + (bias << FINE) - bias;
  h.to_margin = ((uint32_t)h.shift << 23) - (24u << 23) - units;
  h.uniform_margin = bk_bits(p->magic) - (24u << 23) - units;
  return h;
}

// What a hot loop is compiled for.
#define HOT_FLOAT 0
#define HOT_FLOAT_ONE_ZERO 1  // no negative zero (FNUZ)
#define HOT_SIGN_MAGNITUDE 2
#define HOT_TWOS_COMPLEMENT 3
#define HOT_TWOS_COMPLEMENT_FULL 4
#define HOT_FLOAT_NARROW 5  // at most 2 mantissa bits and 4 bits in all

// The kind of hot loop for a format, or -1 where it needs the general one.
static inline int hot_kind(const bk_element *e, const encoder *p) {
  if (e->code_bytes != 1 || p->deep || p->rounding != BK_ROUND_TIES_TO_EVEN) return -1;
  if (e->twos_complement)
    return e->max_code == e->max_code_negative ? HOT_TWOS_COMPLEMENT : HOT_TWOS_COMPLEMENT_FULL;
  if (p->uniform) return HOT_SIGN_MAGNITUDE;
  if (e->mantissa_bits == 0) return -1;  // an odd bias would turn ties around
  if (!e->has_negative_zero) return HOT_FLOAT_ONE_ZERO;
  return e->mantissa_bits <= 2 && e->code_mask <= 15 ? HOT_FLOAT_NARROW : HOT_FLOAT;
}

// Codebook boundaries.
#define BK_VECTOR_CODEBOOK 16

typedef struct {
  int32_t count;
  float boundary[BK_VECTOR_CODEBOOK];  // midpoints; behind the last a NaN, above which nothing is
  uint32_t zero_code;
  // 32 equal cells over the codebook's range, each with at most one boundary and none near an edge:
  // how many boundaries lie below each. Without such cells, they are counted.
  int32_t has_cells;
  float origin, cells_per_unit;
  uint32_t below_cell[32];
} boundaries;

#define BK_CELLS 32

// Tries cells of a given width; returns whether they separate the boundaries.
static inline int try_cells(boundaries *p, const bk_element *e, double width) {
  double origin = e->codebook[0];
  for (int c = 0; c < BK_CELLS; c++) {
    int below = 0, inside = 0;
    for (int j = 0; j < p->count; j++) {
      if (p->boundary[j] != 0 && fabsf(p->boundary[j]) < 0x1p-60f) return 0;
      double at = ((double)p->boundary[j] - origin) / width, edge = at - floor(at);
      if (at >= BK_CELLS || edge < 0x1p-8 || edge > 1 - 0x1p-8) return 0;
      below += at < c;
      inside += at >= c && at < c + 1;
    }
    if (inside > 1) return 0;
    p->below_cell[c] = (uint32_t)below;
  }
  p->origin = (float)origin;
  p->cells_per_unit = (float)(1 / width);
  return 1;
}

static inline boundaries make_boundaries(const bk_element *e) {
  boundaries p;
  p.count = e->codebook_count - 1;
  for (int j = 0; j < BK_VECTOR_CODEBOOK; j++) {
    p.boundary[j] = j < p.count
                        ? (float)(((double)e->codebook[j] + (double)e->codebook[j + 1]) / 2)
                        : bk_float(0x7fc00000);
  }
  p.has_cells = 0;
  double range = (double)e->codebook[p.count] - (double)e->codebook[0];
  int ordinary = range > 0x1p-60 && range < 0x1p60 && p.count < BK_VECTOR_CODEBOOK;
  for (int slack = 0; slack < 16 && ordinary && !p.has_cells; slack++)
    p.has_cells = try_cells(&p, e, range / (BK_CELLS - 0.5 * slack));
  bk_exact one = bk_split(1);
  p.zero_code = bk_element_exact(e, 0, one, BK_ROUND_TIES_TO_EVEN, 0, 0);
  return p;
}

typedef struct {
  encoder element;
  hot_encoder hot;
  int32_t kind;  // of the hot loop, or -1
  int32_t e2m1;  // that format, rounded by tiesToEven
  encoder scale;
  decoder scale_decoder;
  boundaries book;
} prepared;

static inline prepared prepare(const bk_job *job) {
  prepared p;
  memset(&p, 0, sizeof p);
  p.kind = -1;
  if (job->element.is_codebook) {
    p.book = make_boundaries(&job->element);
  } else {
    p.element = make_encoder(&job->element, job->rounding, job->random_bits);
    p.kind = hot_kind(&job->element, &p.element);
    p.e2m1 = p.kind == HOT_FLOAT_NARROW && job->element.mantissa_bits == 1 &&
             job->element.min_exponent == 0 && job->element.max_code == 7 && job->element.max_code_negative == 7;
    if (p.kind >= 0) p.hot = make_hot_encoder(&p.element, &job->element);
  }
  if (job->scale.kind == BK_SCALE_FLOAT) {
    if (job->scale.format.mantissa_bits < 23)
      p.scale = make_encoder(&job->scale.format, BK_ROUND_TIES_TO_EVEN, 0);
    p.scale_decoder = make_decoder(&job->scale.format);
  }
  return p;
}

#endif
