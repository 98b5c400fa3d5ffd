#ifndef BLOCK_KERNELS_H
#define BLOCK_KERNELS_H

// The inner loops of the fast path: one source, several instruction sets, chosen at run time.
// Codes are stored unpacked in `code_bytes` bytes each; scales as uint32_t patterns, one a block.

#include <stddef.h>
#include <stdint.h>

#include "error_statistics.h"

#define BK_ROUND_TIES_TO_EVEN 0
#define BK_ROUND_TIES_TO_AWAY 1
#define BK_ROUND_TIES_TOWARD_ZERO 2
#define BK_ROUND_TOWARD_ZERO 3
#define BK_ROUND_TOWARD_POSITIVE 4
#define BK_ROUND_TOWARD_NEGATIVE 5
#define BK_ROUND_TO_ODD 6
#define BK_ROUND_STOCHASTIC 7

#define BK_TARGET_AUTO 0
#define BK_TARGET_AVX512 1
#define BK_TARGET_AVX2 2
#define BK_TARGET_BASELINE 3

// A number format whose magnitudes are `code · quantum` up to `2^min_exponent` and then a binary
// float with `mantissa_bits`; integers have their min_exponent above every value. Or a codebook.
typedef struct {
  int32_t is_codebook;
  int32_t mantissa_bits;
  int32_t min_exponent;
  uint32_t max_code;           // largest magnitude code of positive values
  uint32_t max_code_negative;  // and of negative ones
  int32_t twos_complement;     // else the sign is sign_mask
  uint32_t sign_mask;
  uint32_t code_mask;
  int32_t has_negative_zero;
  int32_t has_nan;           // for NaN inputs
  int32_t overflows_to_nan;  // else to infinity, or not at all
  uint32_t nan_positive, nan_negative;
  int32_t has_infinity;
  uint32_t infinity_code;
  uint32_t first_special;  // magnitude codes from here on are not finite
  int32_t code_bytes;
  float max_value;  // largest magnitude
  const float *codebook;
  int32_t codebook_count;
} bk_element;

#define BK_SCALE_E8M0 0
#define BK_SCALE_FLOAT 1
#define BK_SCALE_POWER_OF_TWO_FP32 2

#define BK_BUMP_NEVER 0
#define BK_BUMP_ABOVE 1     // the significand of a/T is above 1 + bump_fraction·2^-23
#define BK_BUMP_AT_LEAST 2  // or at least that
#define BK_BUMP_ROOT_TWO 3  // (a/T)^2 >= 2·4^e
#define BK_BUMP_OVER_MAX 4  // the exponent is ceil(log2(a/(maxE·T))) instead

// A scale format, and the rule by which an E8M0 exponent is chosen.
typedef struct {
  int32_t kind;
  bk_element format;  // of BK_SCALE_FLOAT: unsigned use
  uint32_t nan_code;
  uint32_t ignored_bits;     // bits cleared before a stored scale is read
  int32_t element_exponent;  // emaxE
  int32_t bump;              // when the exponent is one more than floor(log2(a/T))
  uint32_t bump_fraction;    // of BK_BUMP_ABOVE and BK_BUMP_AT_LEAST: 23 bits
} bk_scale;

typedef struct {
  bk_element element;
  bk_scale scale;
  float tensor_scale;
  int32_t rounding;
  int32_t random_bits;
} bk_job;

// A stack's float32 steps; the numbers are the raw order of NamedRecipe's cases.
typedef struct {
  int32_t amax, scale_value, scale_rounding, even_mantissa_bits;
  int32_t has_clamp;
  double clamp_low, clamp_high;
  int32_t overflow;
  int64_t nan_scale, infinity_scale;  // -1: not established
  int32_t zero_rule;
  uint32_t zero_code;
  float zero_value;
  int32_t multiplier, byte_zero_multiplier, element_rounding, nan_rule;
  uint32_t nan_code;
  int64_t infinite_code;  // of an infinite quotient; -1: saturates
  int32_t negative_zero, search, dequantize, unsigned_zero, compute_type;
  const uint32_t *reciprocal_arguments, *reciprocal_results;
  int32_t reciprocal_count;
  float encode_scale;  // G
  float decode_scale;  // P
  float tensor_amax;   // A
} bk_recipe;

// `outer` matrices of rows × columns cut into tiles.
typedef struct {
  int64_t outer, rows, columns, tile_rows, tile_columns;
} bk_grid;

// Why a block is refused: the step of its recipe that nobody has established.
enum {
  BK_OK,
  BK_UNKNOWN_AMAX,
  BK_UNKNOWN_NAN_AMAX_SCALE,
  BK_UNKNOWN_INFINITE_AMAX_SCALE,
  BK_UNKNOWN_ZERO_SCALE,
  BK_UNKNOWN_NAN_SCALE,
  BK_UNKNOWN_INFINITE_SCALE,
  BK_UNKNOWN_OVERFLOW,
  BK_UNKNOWN_FACTOR_OVERFLOW,
  BK_UNKNOWN_MULTIPLIER,
  BK_UNKNOWN_ELEMENT,
  BK_NO_MEMORY
};

typedef struct {
  int32_t status;
  int64_t position;  // row-major element index within the grid
  int64_t clamped_scales;
} bk_result;

// The best target of this machine, and whether it has a given one.
int bk_best_target(void);
int bk_target_available(int target);

// Exact block quantisation. `random` holds one value per element where rounding is stochastic;
// `amax` what bk_block_maxima finds, or is NULL.
bk_result bk_quantize_exact(int target, const bk_job *job, const bk_grid *grid, const float *x,
                            const uint32_t *random, const uint32_t *amax, int scales_given,
                            void *codes, uint32_t *scales);
bk_result bk_quantize_recipe(int target, const bk_job *job, const bk_recipe *recipe,
                             const bk_grid *grid, const float *x, const uint32_t *random,
                             const uint32_t *amax, void *codes, uint32_t *scales);
// The bits of the largest |x| of each block, in the order of unsigned integers: NaN above infinity.
// `x` may be such maxima of smaller blocks: then a tile is of blocks, and its maximum theirs.
void bk_block_maxima(int target, const bk_grid *grid, const void *x, uint32_t *amax);
uint32_t bk_exact_scale(const bk_job *job, float amax, int *clamped);

// code·s·T rounded once, or the recipe's own order where `recipe` is not NULL.
void bk_dequantize(int target, const bk_job *job, const bk_recipe *recipe, const bk_grid *grid,
                   const void *codes, const uint32_t *scales, float *output);

// Numbers one by one. Returns the index of a NaN that the format cannot hold, or -1.
int64_t bk_encode(int target, const bk_element *element, int rounding, int random_bits,
                  int non_finite_overflow, const uint32_t *random, const float *x, size_t count,
                  void *codes);
void bk_decode(int target, const bk_element *element, const void *codes, size_t count,
               float *output);
void bk_encode_e8m0(int target, const float *x, size_t count, uint32_t *codes);
void bk_decode_scales(const bk_scale *scale, const uint32_t *codes, size_t count, float *output);
// Largest |x| over finite values, and how many values are not finite.
float bk_finite_amax(int target, const float *x, size_t count, int64_t *non_finite);

// Throughput forms: 4-bit codes are packed two a byte, low nibble first, row by row.
bk_result bk_quantize_packed(int target, const bk_job *job, const bk_grid *grid, const float *x,
                             uint8_t *packed, uint32_t *scales);
void bk_dequantize_packed(int target, const bk_job *job, const bk_grid *grid,
                          const uint8_t *packed, const uint32_t *scales, float *output);

#endif
