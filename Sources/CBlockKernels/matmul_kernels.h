// What a vector kernel multiplies: one row of A with a panel of adjacent columns of B.
#ifndef BK_MATMUL_KERNELS_H
#define BK_MATMUL_KERNELS_H

#include "matmul_plan.h"

// A row of A, or a panel of B in which every entry is as many numbers as the kernel has lanes.
typedef struct {
  double *wide;       // values, times whatever multiplies every product; one a k
  float *narrow;      // values, or integers
  int16_t *exponent;  // of products' terms, one a k
  double *scale;      // one a block
  int16_t *scale_exponent;
  uint32_t *nonzero;  // bits of each group's nonzero values
  const line *lines;  // decoded: one of A, or one a lane
  double top;         // the largest magnitude of `wide`
  int32_t low;        // `wide` are multiples of 2^low
  double *tops;       // of each row, in the buffer that holds many
  int32_t *lows;
} packed;

enum { CHAIN_FUSED, CHAIN_LATE, CHAIN_ADD, CHAIN_EXACT, CHAIN_GROUPS, CHAIN_FLOAT32 };

// The bounds that hold for every output of a product.
typedef struct {
  int32_t vectors;           // a kernel exists for this product
  int32_t chain;             // CHAIN_… of float sums
  int32_t products_exact;    // in float64
  int32_t tracks_zeros;      // zero terms may raise e_max
  int32_t infinite_products; // some product may reach 2^128
  int32_t integer_chunk;     // terms whose sum is exact in float32
  int32_t one_window;        // of an exact sum
  int32_t uses_wide, uses_narrow, uses_exponent, uses_scales;
  int32_t scales_join;       // scales multiply the values themselves
  int32_t uses_stats;        // `top` and `low`
} bounds;

typedef struct {
  const plan *plan;
  bounds bounds;
} kernel_job;

// Rows that a kernel takes together: their sums do not wait for each other.
enum { MOST_ROWS = 4 };

typedef struct {
  int32_t lanes;
  // Sums of some rows and one panel, a row's lanes together. In: c's values; out: what the unit makes
  // of them.
  void (*floats)(const kernel_job *job, const packed *a, int rows, const packed *b, float *sums);
  void (*integers)(const kernel_job *job, const packed *a, int rows, const packed *b, int64_t *sums);
  void (*fixed)(const kernel_job *job, const packed *a, int rows, const packed *b, int64_t *sums);
} matmul_kernels;

extern const matmul_kernels matmul_kernels_baseline;
#if defined(__x86_64__)
extern const matmul_kernels matmul_kernels_avx2;
extern const matmul_kernels matmul_kernels_avx512;
#endif

bounds prove_bounds(const plan *p);
// Whether the bounds hold that depend on the numbers themselves; sets `one_window`.
int bounds_hold(kernel_job *job, const packed *a, const packed *b);

int make_packed(packed *p, const kernel_job *job, int side, int64_t lanes);
void free_packed(packed *p);
// Row i of a buffer of rows of A.
packed packed_row(const packed *rows, const kernel_job *job, const line *decoded, int64_t i);
// Lays decoded lines out for the kernels, `lanes` side by side, zeros where there are fewer.
void pack_lines(packed *p, const kernel_job *job, int side, const line *lines, int64_t count,
                int64_t lanes);
static inline int64_t group_words(const plan *p) { return (p->unit.group + 31) / 32; }

#endif
