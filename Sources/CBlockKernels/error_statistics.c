#include "error_statistics.h"

#include <string.h>

/* clang fuses a*b+c where FMA is at hand otherwise (AVX-512 implies it), and bits change. */
#pragma STDC FP_CONTRACT OFF

/* Eight lanes whatever the machine: one zmm register, two ymm, or four xmm or NEON ones. */
typedef float f32x8 __attribute__((vector_size(32)));
typedef int32_t i32x8 __attribute__((vector_size(32)));
typedef double f64x8 __attribute__((vector_size(64)));
typedef int64_t i64x8 __attribute__((vector_size(64)));

#define INLINE static inline __attribute__((always_inline))
#define LANES BK_ERROR_LANES
#define MAGNITUDE INT64_C(0x7fffffffffffffff)
#define EXPONENT_AND_SIGN ((int64_t)UINT64_C(0xfff0000000000000))

/* Macros, because a vector argument's calling convention depends on the instruction set. */
#define KEEP(a, mask) ((f64x8)((i64x8)(a) & (mask)))
#define CHOOSE(mask, a, b) ((f64x8)(((i64x8)(a) & (mask)) | ((i64x8)(b) & ~(mask))))
#define ABSOLUTE(a) ((f64x8)((i64x8)(a) & MAGNITUDE))
#define LARGER(a, b) CHOOSE((a) > (b), a, b)

enum { SUM_E, SUM_EE, SUM_XX, SUM_YY, SUM_XY, SUM_RELATIVE,
       SUM_UNDERFLOW, SUM_CLAMPED, SUM_SATURATED, SUM_FLUSHED };
enum { MAX_ABSOLUTE, MAX_RELATIVE, MAX_ULP };
enum { COUNT_NONZERO, COUNT_SATURATED, COUNT_FLUSHED, COUNT_NAN, COUNT_NON_FINITE };

typedef struct {
  f64x8 sums[10];
  f64x8 maxima[3];
  i64x8 counts[5];
} lanes;

/* |d| times the gap between the element values that bracket x/d, so that an error in units of the
 * element is one division away: |x/d - v| / gap = |x - v*d| / (|d|*gap). */
INLINE void scaled_gap(f64x8 *gap, const f64x8 *x, const f64x8 *d, const bk_error_params *p,
                       const int kind) {
  const f64x8 ad = ABSOLUTE(*d);
  if (kind == BK_SPACING_INTEGER) {
    *gap = ad * p->low_gap;
  } else if (kind == BK_SPACING_FLOAT) {
    const f64x8 ax = ABSOLUTE(*x);
    /* The difference of the bit patterns has floor(log2(|x|/|d|)) above bit 52, exactly. */
    const i64x8 binade = ((i64x8)ax - (i64x8)ad) & EXPONENT_AND_SIGN;
    const f64x8 normal = (f64x8)((i64x8)ad + binade - (p->mantissa_bits << 52));
    const f64x8 low = CHOOSE(ax < ad * p->min_normal, ad * p->low_gap, normal);
    *gap = CHOOSE(ax >= ad * p->largest, ad * p->last_gap, low);
  } else {
    const f64x8 q = *x / *d;
    f64x8 found = (f64x8){0} + p->gaps[0];
    for (size_t i = 1; i < p->gap_count; i++)
      found = CHOOSE(q >= p->values[i], (f64x8){0} + p->gaps[i], found);
    *gap = ad * found;
  }
}

/* `ends` says whether some divisor may be below normal_divisor or from top_divisor on. */
INLINE void add_eight(lanes *s, const float *xp, const float *vp, const double *dp,
                      const bk_error_params *p, const int kind, const int ends) {
  f32x8 xf, vf;
  f64x8 d;
  memcpy(&xf, xp, sizeof xf);
  memcpy(&vf, vp, sizeof vf);
  memcpy(&d, dp, sizeof d);
  const f64x8 x0 = __builtin_convertvector(xf, f64x8);
  const f64x8 v = __builtin_convertvector(vf, f64x8);
  const f64x8 y0 = v * d;
  const f64x8 ax0 = ABSOLUTE(x0), ad = ABSOLUTE(d);
  const f64x8 infinity = (f64x8){0} + __builtin_inf();
  const i64x8 finite = (ax0 < infinity) & (ABSOLUTE(y0) < infinity);

  const f64x8 x = KEEP(x0, finite), y = KEEP(y0, finite), e = KEEP(y0 - x0, finite);
  const f64x8 ee = e * e;
  s->sums[SUM_E] += e;
  s->sums[SUM_EE] += ee;
  s->sums[SUM_XX] += x * x;
  s->sums[SUM_YY] += y * y;
  s->sums[SUM_XY] += x * y;

  const f64x8 ae = ABSOLUTE(e), ax = ABSOLUTE(x);
  const i64x8 nonzero = ax > 0.0;
  const f64x8 relative = KEEP(ae / ax, nonzero);
  s->sums[SUM_RELATIVE] += relative;
  s->maxima[MAX_ABSOLUTE] = LARGER(ae, s->maxima[MAX_ABSOLUTE]);
  s->maxima[MAX_RELATIVE] = LARGER(relative, s->maxima[MAX_RELATIVE]);

  f64x8 gap;
  scaled_gap(&gap, &x0, &d, p, kind);
  const f64x8 ulp = KEEP(ae / gap, finite & (ad > 0.0));
  s->maxima[MAX_ULP] = LARGER(ulp, s->maxima[MAX_ULP]);

  const i64x8 beyond = ax0 > ad * p->largest;
  const i64x8 flushed = (ax0 > 0.0) & (v == 0.0) & (ad < infinity);
  if (ends) {
    const i64x8 small = ad < p->normal_divisor, top = ad >= p->top_divisor;
    s->sums[SUM_UNDERFLOW] += KEEP(ee, small);
    s->sums[SUM_CLAMPED] += KEEP(ee, beyond & top & ~small);
    s->sums[SUM_SATURATED] += KEEP(ee, beyond & ~top & ~small);
    s->sums[SUM_FLUSHED] += KEEP(ee, flushed & ~beyond & ~small);
  } else {
    s->sums[SUM_SATURATED] += KEEP(ee, beyond);
    s->sums[SUM_FLUSHED] += KEEP(ee, flushed & ~beyond);
  }

  /* A true comparison is -1. */
  s->counts[COUNT_NONZERO] -= nonzero;
  s->counts[COUNT_SATURATED] -= beyond;
  s->counts[COUNT_FLUSHED] -= flushed;
  s->counts[COUNT_NAN] -= y0 != y0;
  s->counts[COUNT_NON_FINITE] -= ~finite;
}

/* n <= 8 elements in the lanes from `lane` on; the others get x = v = 0, which changes nothing. */
INLINE void add_some(lanes *s, const float *x, const float *v, const double *d, size_t n,
                     size_t lane, const bk_error_params *p, const int kind, const int ends) {
  float xs[LANES] = {0}, vs[LANES] = {0};
  double ds[LANES] = {1, 1, 1, 1, 1, 1, 1, 1};
  memcpy(xs + lane, x, n * sizeof *x);
  memcpy(vs + lane, v, n * sizeof *v);
  memcpy(ds + lane, d, n * sizeof *d);
  add_eight(s, xs, vs, ds, p, kind, ends);
}

INLINE void add_run(lanes *s, const float *x, const float *v, const double *d, size_t n,
                    size_t start, const bk_error_params *p, const int kind, const int ends) {
  size_t i = 0;
  const size_t lane = start % LANES;
  if (lane != 0) {
    i = LANES - lane < n ? LANES - lane : n;
    add_some(s, x, v, d, i, lane, p, kind, ends);
  }
  for (; i + LANES <= n; i += LANES) add_eight(s, x + i, v + i, d + i, p, kind, ends);
  if (i < n) add_some(s, x + i, v + i, d + i, n - i, 0, p, kind, ends);
}

/* Where the next element stands: d is its block's divisor, `position` its column. */
typedef struct {
  const double *d;
  bk_tiling tiling;
  size_t row, position, line_blocks;
} tile_divisors;

/* At the end of a line: the divisors of this row of tiles again, or on to the next. */
INLINE void next_line(tile_divisors *b) {
  b->position = 0;
  b->row++;
  if (b->row == b->tiling.rows) {
    b->row = 0;
  } else if (b->row % b->tiling.tile_rows != 0) {
    b->d -= b->line_blocks;
  }
}

/* Writes the divisors of the next n elements, one each; 1 if one is at an end of the range. */
INLINE int expand(tile_divisors *b, double *out, size_t n, const bk_error_params *p) {
  const size_t width = b->tiling.tile_columns, line = b->tiling.columns;
  int ends = 0;
  while (n > 0) {
    size_t run = width - b->position % width;
    if (run > line - b->position) run = line - b->position;
    const size_t take = run < n ? run : n;
    const double size = __builtin_fabs(*b->d);
    ends |= size < p->normal_divisor || size >= p->top_divisor;
    for (size_t i = 0; i < take; i++) out[i] = *b->d;
    out += take;
    n -= take;
    b->position += take;
    if (take == run) b->d++;
    if (b->position == line) next_line(b);
  }
  return ends;
}

/* The divisors are one per element where tiles is null. */
INLINE void accumulate(bk_error_state *state, const float *x, const float *v, const double *d,
                       tile_divisors *tiles, size_t n, size_t start, const bk_error_params *p,
                       const int kind) {
  enum { PIECE = 512 };
  double expanded[PIECE];
  lanes s;
  memcpy(s.sums, state->sums, sizeof s.sums);
  memcpy(s.maxima, state->maxima, sizeof s.maxima);
  memcpy(s.counts, state->counts, sizeof s.counts);
  if (tiles == NULL) {
    add_run(&s, x, v, d, n, start, p, kind, 1);
  } else {
    for (size_t i = 0; i < n;) {
      const size_t left = PIECE - (start + i) % LANES; /* so that later pieces start at lane 0 */
      const size_t piece = n - i < left ? n - i : left;
      if (expand(tiles, expanded, piece, p)) {
        add_run(&s, x + i, v + i, expanded, piece, start + i, p, kind, 1);
      } else {
        add_run(&s, x + i, v + i, expanded, piece, start + i, p, kind, 0);
      }
      i += piece;
    }
  }
  memcpy(state->sums, s.sums, sizeof s.sums);
  memcpy(state->maxima, s.maxima, sizeof s.maxima);
  memcpy(state->counts, s.counts, sizeof s.counts);
  state->count += n;
}

/* One line's blocks: writes their moments, or adds them to those of the rows above. */
INLINE void line_moments(const float *x, size_t n, size_t block, int first, float *amax,
                         double *sum_squares) {
  for (size_t from = 0; from < n; from += block, sum_squares++) {
    const size_t length = n - from < block ? n - from : block;
    f32x8 largest = {0};
    f64x8 sum = {0};
    for (size_t i = 0; i < length; i += LANES) {
      f32x8 f = {0};
      if (length - i >= LANES) {
        memcpy(&f, x + from + i, sizeof f);
      } else {
        memcpy(&f, x + from + i, (length - i) * sizeof *x);
      }
      const f64x8 wide = __builtin_convertvector(f, f64x8);
      sum += wide * wide;
      if (!amax) continue;
      const i32x8 magnitude = (i32x8)f & INT32_C(0x7fffffff);
      const i32x8 larger = (f32x8)magnitude > largest;
      largest = (f32x8)((magnitude & larger) | ((i32x8)largest & ~larger));
    }
    const double total = ((sum[0] + sum[4]) + (sum[2] + sum[6])) +
                         ((sum[1] + sum[5]) + (sum[3] + sum[7]));
    *sum_squares = first ? total : *sum_squares + total;
    if (!amax) continue;
    float top = first ? 0 : *amax;
    for (int lane = 0; lane < LANES; lane++) top = largest[lane] > top ? largest[lane] : top;
    *amax++ = top;
  }
}

INLINE void moments(const float *x, size_t rows, size_t columns, size_t tile_columns, float *amax,
                    double *sum_squares) {
  for (size_t row = 0; row < rows; row++, x += columns) {
    if (row > 0 && tile_columns == 1) {
      for (size_t i = 0; i < columns; i++) {
        sum_squares[i] += (double)x[i] * (double)x[i];
        if (!amax) continue;
        const float magnitude = __builtin_fabsf(x[i]);
        amax[i] = magnitude > amax[i] ? magnitude : amax[i];
      }
    } else {
      line_moments(x, columns, tile_columns, row == 0, amax, sum_squares);
    }
  }
}

/* One copy of every loop per instruction set, from the same source. */
#define LOOPS(name, attribute)                                                                    \
  attribute static void accumulate_##name(                                                        \
      bk_error_state *state, const float *x, const float *v, const double *d, tile_divisors *b,  \
      size_t n, size_t start, const bk_error_params *p) {                                         \
    if (p->kind == BK_SPACING_FLOAT) {                                                            \
      accumulate(state, x, v, d, b, n, start, p, BK_SPACING_FLOAT);                               \
    } else if (p->kind == BK_SPACING_INTEGER) {                                                   \
      accumulate(state, x, v, d, b, n, start, p, BK_SPACING_INTEGER);                             \
    } else {                                                                                      \
      accumulate(state, x, v, d, b, n, start, p, BK_SPACING_CODEBOOK);                            \
    }                                                                                             \
  }                                                                                               \
  attribute static void moments_##name(const float *x, size_t rows, size_t columns,               \
                                       size_t tile_columns, float *amax,                          \
                                       double *sum_squares) {                                     \
    if (amax) moments(x, rows, columns, tile_columns, amax, sum_squares);                         \
    else moments(x, rows, columns, tile_columns, NULL, sum_squares);                              \
  }

LOOPS(baseline, )
#if defined(__x86_64__)
LOOPS(avx512, __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw"))))
LOOPS(avx2, __attribute__((target("avx2"))))
#endif

int bk_error_target_supported(int target) {
#if defined(__x86_64__)
  if (target == BK_ERROR_AVX512)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
  if (target == BK_ERROR_AVX2) return __builtin_cpu_supports("avx2") != 0;
#endif
  return target == BK_ERROR_AUTO || target == BK_ERROR_BASELINE;
}

static int chosen(int target) {
  if (target != BK_ERROR_BASELINE) {
    if (target != BK_ERROR_AVX2 && bk_error_target_supported(BK_ERROR_AVX512))
      return BK_ERROR_AVX512;
    if (bk_error_target_supported(BK_ERROR_AVX2)) return BK_ERROR_AVX2;
  }
  return BK_ERROR_BASELINE;
}

static void dispatch(bk_error_state *state, const float *x, const float *v, const double *d,
                     tile_divisors *tiles, size_t n, size_t start, const bk_error_params *p,
                     int target) {
  switch (chosen(target)) {
#if defined(__x86_64__)
    case BK_ERROR_AVX512: accumulate_avx512(state, x, v, d, tiles, n, start, p); break;
    case BK_ERROR_AVX2: accumulate_avx2(state, x, v, d, tiles, n, start, p); break;
#endif
    default: accumulate_baseline(state, x, v, d, tiles, n, start, p); break;
  }
}

void bk_error_accumulate(bk_error_state *state, const float *x, const float *v, const double *d,
                         size_t n, size_t start, const bk_error_params *params, int target) {
  dispatch(state, x, v, d, NULL, n, start, params, target);
}

void bk_error_accumulate_tiles(bk_error_state *state, const float *x, const float *v,
                               const double *d, size_t n, size_t start, const bk_tiling *tiling,
                               const bk_error_params *params, int target) {
  const size_t line = start / tiling->columns;
  tile_divisors tiles = {
      .d = d,
      .tiling = *tiling,
      .row = line % tiling->rows,
      .position = start % tiling->columns,
      .line_blocks = (tiling->columns - 1) / tiling->tile_columns + 1,
  };
  dispatch(state, x, v, d, &tiles, n, start, params, target);
}

static double lane_sum(const double *l) {
  return ((l[0] + l[4]) + (l[2] + l[6])) + ((l[1] + l[5]) + (l[3] + l[7]));
}

static double lane_largest(const double *l) {
  double largest = l[0];
  for (int i = 1; i < LANES; i++) largest = l[i] > largest ? l[i] : largest;
  return largest;
}

static uint64_t lane_count(const int64_t *l) {
  int64_t total = 0;
  for (int i = 0; i < LANES; i++) total += l[i];
  return (uint64_t)total;
}

void bk_error_reduce(const bk_error_state *state, bk_error_sums *out) {
  out->error = lane_sum(state->sums[SUM_E]);
  out->error_squared = lane_sum(state->sums[SUM_EE]);
  out->x_squared = lane_sum(state->sums[SUM_XX]);
  out->y_squared = lane_sum(state->sums[SUM_YY]);
  out->xy = lane_sum(state->sums[SUM_XY]);
  out->relative = lane_sum(state->sums[SUM_RELATIVE]);
  out->underflow_squared = lane_sum(state->sums[SUM_UNDERFLOW]);
  out->clamped_squared = lane_sum(state->sums[SUM_CLAMPED]);
  out->saturated_squared = lane_sum(state->sums[SUM_SATURATED]);
  out->flushed_squared = lane_sum(state->sums[SUM_FLUSHED]);
  out->max_absolute = lane_largest(state->maxima[MAX_ABSOLUTE]);
  out->max_relative = lane_largest(state->maxima[MAX_RELATIVE]);
  out->max_ulp = lane_largest(state->maxima[MAX_ULP]);
  out->count = state->count;
  out->nonzero = lane_count(state->counts[COUNT_NONZERO]);
  out->saturated = lane_count(state->counts[COUNT_SATURATED]);
  out->flushed = lane_count(state->counts[COUNT_FLUSHED]);
  out->nan = lane_count(state->counts[COUNT_NAN]);
  out->non_finite = lane_count(state->counts[COUNT_NON_FINITE]);
}

void bk_block_moments(const float *x, size_t rows, size_t columns, size_t tile_columns, float *amax,
                      double *sum_squares, int target) {
  switch (chosen(target)) {
#if defined(__x86_64__)
    case BK_ERROR_AVX512:
      moments_avx512(x, rows, columns, tile_columns, amax, sum_squares);
      break;
    case BK_ERROR_AVX2:
      moments_avx2(x, rows, columns, tile_columns, amax, sum_squares);
      break;
#endif
    default:
      moments_baseline(x, rows, columns, tile_columns, amax, sum_squares);
      break;
  }
}
