// The loops that exist once per instruction set, and the table that holds them.
#ifndef BK_KERNELS_H
#define BK_KERNELS_H

#include "element_exact.h"
#include "prepared.h"

// How a block's numbers become quotients.
#define BK_TIMES 0      // x · m, exact or checked
#define BK_OVER 1       // x / d, a quotient that cannot cross a boundary
#define BK_CHECKED 2    // x · m within 4 units in the last place; unsure lanes are settled exactly

// One row of codes: `columns` numbers in blocks of `tile`, the multiplier of each block in `factor`.
typedef struct {
  const bk_job *job;
  const prepared *prepared;
  const float *x;
  const float *factor;
  const uint32_t *scales;
  const uint32_t *random;
  int64_t columns, tile;
  int32_t method;
  int32_t stream;  // packed codes go past the caches
  int64_t ahead;   // how far behind x lie the numbers to fetch meanwhile
  void *codes;
} bk_row;

// A row of float32 quotients by a recipe's own step.
typedef struct {
  const bk_element *element;
  const float *x;
  const float *factor;
  int64_t columns, tile;
  int32_t divide;         // y = x / factor, else x · factor
  int32_t rounding;
  int32_t random_bits;
  const uint32_t *random;
  int32_t negative_zero;  // NamedRecipe.NegativeZero
  void *codes;
  int64_t special_position;  // out: the first column whose y is NaN or infinite, or -1
} bk_recipe_row;

typedef struct {
  // amax[b] = max(amax[b], bits of |x|) over each block of the row.
  void (*row_amax)(const float *x, int64_t columns, int64_t tile, uint32_t *amax);
  // Scales and multipliers of `count` blocks; returns the clamped count. `method` is the method of
  // all: BK_CHECKED where any block needs it. `special`: some scale is NaN.
  int64_t (*scales)(const bk_job *job, const prepared *prepared, const uint32_t *amax, int64_t count,
                    int given, uint32_t *scales, float *factor, int32_t *method, int *special);
  void (*encode_row)(const bk_row *row);
  void (*recipe_row)(bk_recipe_row *row);
  void (*pack_row)(const uint8_t *codes, int64_t columns, uint8_t *packed);
  void (*unpack_row)(const uint8_t *packed, int64_t columns, uint8_t *codes);
  // output = (value · scale) · T with scale given per block.
  void (*decode_row)(const bk_element *element, const void *codes, const float *scale,
                     float tensor_scale, int64_t columns, int64_t tile, float *output);
  int64_t (*encode)(const bk_element *element, int rounding, int random_bits, int non_finite,
                    const uint32_t *random, const float *x, size_t count, void *codes);
  void (*decode)(const bk_element *element, const void *codes, size_t count, float *output);
  void (*encode_e8m0)(const float *x, size_t count, uint32_t *codes);
  // Packed codes of E2M1 for a row with BK_CHECKED, and whether the blocks fit it: or both NULL.
  void (*e2m1_row)(const bk_row *row, uint8_t *packed);
  int (*e2m1_fits)(const uint32_t *amax, const float *factor, int64_t blocks);
  float (*finite_amax)(const float *x, size_t count, int64_t *non_finite);
} bk_kernels;

extern const bk_kernels bk_kernels_baseline;
#if defined(__x86_64__)
extern const bk_kernels bk_kernels_avx2;
extern const bk_kernels bk_kernels_avx512;
#endif
const bk_kernels *bk_kernels_for(int target);

#define BK_CHUNK 4096

#endif
