#ifndef BLOCK_KERNELS_ERROR_STATISTICS_H
#define BLOCK_KERNELS_ERROR_STATISTICS_H
#include <stddef.h>
#include <stdint.h>

/* Error sums of one chunk of a tensor, and the moments of blocks.
 *
 * x is the original float32, v the decoded element value, d the divisor s*T; y = v*d and e = y - x
 * in double. Element i of the tensor always goes to lane i mod 8, and the lanes are added in one
 * fixed order at the end: the same bits for every way of cutting a chunk into calls and for every
 * instruction set. An element whose x or y is not finite is counted and otherwise left out. */

enum { BK_ERROR_LANES = 8, BK_ERROR_CHUNK = 65536 };

/* Which loop runs. One that this machine lacks is replaced by the best it has, with equal bits. */
enum { BK_ERROR_AUTO = 0, BK_ERROR_AVX512 = 1, BK_ERROR_AVX2 = 2, BK_ERROR_BASELINE = 3 };

enum { BK_SPACING_FLOAT = 0, BK_SPACING_INTEGER = 1, BK_SPACING_CODEBOOK = 2 };

/* Where the element's values lie. Gaps are in units of the element (divide by nothing). */
typedef struct {
  int kind;              /* BK_SPACING_... */
  double largest;        /* maxE: |x/d| above it is saturated */
  double min_normal;     /* float: 2^emin */
  double low_gap;        /* float: the gap below 2^emin; integer: the step */
  double last_gap;       /* float: the gap below maxE, used from maxE on */
  int64_t mantissa_bits; /* float: m, the gap in the binade of 2^k is 2^(k-m) */
  const double *values;  /* codebook: ascending */
  const double *gaps;    /* codebook: gaps[i] holds for values[i] <= x/d < values[i + 1] */
  size_t gap_count;      /* codebook: at least 1 */
  double normal_divisor; /* |d| below it is of a scale that is subnormal or zero */
  double top_divisor;    /* |d| from it on is of the largest scale */
} bk_error_params;

/* The lanes of an unfinished chunk; all bits zero is the empty chunk. */
typedef struct {
  double sums[10][BK_ERROR_LANES];
  double maxima[3][BK_ERROR_LANES];
  int64_t counts[5][BK_ERROR_LANES];
  uint64_t count;
} bk_error_state;

/* The lanes of a chunk, reduced. */
typedef struct {
  double error;           /* sum of e */
  double error_squared;   /* sum of e^2 */
  double x_squared;       /* sum of x^2 */
  double y_squared;       /* sum of y^2 */
  double xy;              /* sum of x*y */
  double relative;        /* sum of |e|/|x| over x != 0 */
  /* Sums of e^2 over parts that do not overlap: an element is in the first that holds. */
  double underflow_squared; /* |d| < normal_divisor */
  double clamped_squared;   /* |x| > maxE*|d|, |d| >= top_divisor */
  double saturated_squared; /* |x| > maxE*|d| */
  double flushed_squared;   /* |x| > 0, v = 0 */
  double max_absolute;    /* largest |e| */
  double max_relative;    /* largest |e|/|x| over x != 0 */
  double max_ulp;         /* largest |x/d - v| over the spacing at x/d, over d != 0 */
  uint64_t count;         /* all elements */
  uint64_t nonzero;       /* elements in the sums with x != 0 */
  uint64_t saturated;     /* |x| > maxE*|d| */
  uint64_t flushed;       /* |x| > 0, v = 0, d finite */
  uint64_t nan;           /* y is NaN */
  uint64_t non_finite;    /* x or y is not finite */
} bk_error_sums;

/* Whether this machine runs a target's own loop: 1 or 0. */
int bk_error_target_supported(int target);

/* Adds n elements, the first of which has index start in the tensor, to the chunk that holds them.
 * The calls of one chunk come in index order without gaps. d holds one divisor per element, zero or
 * a normal double, of either sign; NaN and infinite ones give NaN or infinite y. */
void bk_error_accumulate(bk_error_state *state, const float *x, const float *v, const double *d,
                         size_t n, size_t start, const bk_error_params *params, int target);

/* Matrices of rows x columns, one behind the other, each cut into tiles clipped at the edges; all
 * four are at least 1. Runs along the last axis are tiles of one row. */
typedef struct {
  size_t rows, columns, tile_rows, tile_columns;
} bk_tiling;

/* The same with one divisor per tile, in row-major order of the tiles, d pointing at that of the
 * first element: those before it in its row of tiles are read too. */
void bk_error_accumulate_tiles(bk_error_state *state, const float *x, const float *v,
                               const double *d, size_t n, size_t start, const bk_tiling *tiling,
                               const bk_error_params *params, int target);

/* Adds up the lanes in their fixed order. */
void bk_error_reduce(const bk_error_state *state, bk_error_sums *out);

/* For each tile of one row of tiles (rows x columns elements, the last tile possibly narrower): the
 * largest |x| (NaN ignored) and the sum of x^2 in double: row by row, column j of a tile in lane
 * j mod 8. The sum is NaN or infinite exactly when the tile holds a NaN or an infinity. Writes
 * ceil(columns/tile_columns) entries; rows and tile_columns are at least 1. `amax` may be NULL. */
void bk_block_moments(const float *x, size_t rows, size_t columns, size_t tile_columns, float *amax,
                      double *sum_squares, int target);

#endif
