#ifndef BK_MATMUL_EXACT_H
#define BK_MATMUL_EXACT_H

// Exact sums of products, the parts around the float64 matrix product: lines are cut into slices
// of few bits, products of slices are added into wide integers, and these are rounded once.
//
// A scaled value element · scale is a float64 without rounding: 24 + 24 significant bits, and bits
// at positions 0 … 553, position p weighing 2^(p − BK_EXACT_POINT).

#include "matmul.h"

#define BK_EXACT_POINT 298
#define BK_EXACT_WORDS 9  // of 64 bits: all positions

// values[i] = element · scale at k = start + i of a line, NaN and infinity by IEEE rules.
void bk_exact_values(int target, const bk_operand *operand, int64_t line, int64_t start,
                     int64_t count, double *values);

// bits |= the positions at which a finite value has a one. Returns whether any is not finite.
int bk_exact_bits(const double *values, int64_t count, uint64_t bits[BK_EXACT_WORDS]);

// Covers the ones of `bits` by the fewest slices of `width` positions, at least 1: where each
// starts, ascending, unless `positions` is NULL. Returns how many.
int bk_exact_cut(const uint64_t bits[BK_EXACT_WORDS], int width, int32_t *positions);

// slice[i] = the `width` positions (at most 51) of values[i] from `position`, as a signed integer;
// 0 where values[i] is not finite.
void bk_exact_slice(int target, const double *values, int64_t count, int position, int width,
                    double *slice);

// Some lines of a tile: which ones, and how far each one's products are shifted.
typedef struct {
  const int32_t *line, *shift;
  int64_t count;
} bk_exact_list;

// sums[rows.line, columns.line] += products · 2^(rows.shift + columns.shift). The products are
// integers below 2^53, `columns.count` a row; a sum is a two's complement number of `words` words
// (at least 2), lowest first, wide enough not to overflow; a row has `stride` sums.
void bk_exact_add(const double *products, const bk_exact_list *rows, const bk_exact_list *columns,
                  uint64_t *sums, int words, int64_t stride);

// sums[j] += the sum of line[k] · others[j, k] over the k where `line` is not finite: NaN or an
// infinity by IEEE rules. `places`: room for `count` numbers.
void bk_exact_specials(const double *line, const double *others, int64_t lines, int64_t count,
                       int32_t *places, double *sums, int64_t stride);

// A row of results.
typedef struct {
  const uint64_t *sums;    // as above
  int words;
  const int32_t *exponent;  // sum j weighs 2^(exponent[j] + row_exponent)
  int32_t row_exponent;
  const double *specials;  // NaN or infinity where the products give that, else 0; NULL: all 0
  const int64_t *c;        // float32 patterns, at `place`; NULL: zeros
  float tensor_scale_a, tensor_scale_b;
  uint32_t nan;
  const int32_t *place;  // where result j belongs
  int64_t count;
} bk_exact_row;

// result[place[j]] = c + T_A·T_B·sum rounded once to float32, tiesToEven; an exact 0 is +0.
void bk_exact_finish(const bk_exact_row *row, uint32_t *result);

#endif
