// What a product needs before its first sum: decoded lines, the schedule of steps along K, ranges.
#ifndef BK_MATMUL_PLAN_H
#define BK_MATMUL_PLAN_H

#include "matmul_wide.h"
#include "scratch.h"

#pragma STDC FP_CONTRACT OFF

// The exponent of a zero: far below any other, and two of them still fit 16 bits.
enum { ZERO_EXPONENT = -16000, ZERO_BELOW = -8000 };

// Every nonzero magnitude is a multiple of 2^low, below 2^high, of at most `bits` significant bits.
typedef struct {
  int32_t low, high, bits;
} number_range;

// One line of an operand along K. A scale's exponent follows its format: subnormals keep emin.
typedef struct {
  const float *value;
  const int16_t *exponent;
  const float *scale;  // one a block; NULL: unscaled
  const int16_t *scale_exponent;
  int64_t block;
  int32_t special;  // has a NaN or an infinity, of elements or scales
} line;

// One step of the unit: k from first to last, the groups that lie in it, whether lanes beyond the
// end of the sum are products +0.
typedef struct {
  int64_t first, last, first_group, last_group;
  int32_t padded;
} step;

// A stretch of steps that the unit sums from 0, then scaled; without the run rule there is one.
typedef struct {
  int64_t first, last, first_step, last_step;
} run;

typedef struct {
  const bk_matmul *problem;
  bk_accumulator unit;
  int64_t rows, columns, depth;
  number_range element[2], scale[2];
  int32_t fraction_bits;  // of an integer product
  int32_t has_tensor_scale;
  float tensor_scale;  // fl(T_A · T_B)
  float_format output, intermediate;
  int32_t output_is_intermediate;  // of BK_JOIN_ADD: no second rounding
  step *steps;
  run *runs;
  int64_t *groups;  // where each group ends
  int64_t step_count, run_count, group_count;
} plan;

int make_plan(plan *p, const bk_matmul *problem);
void free_plan(plan *p);

// Buffers of decoded lines.
typedef struct {
  line *line;
  float *values, *scales;
  int16_t *exponents, *scale_exponents;
  int64_t lines, first;
} line_buffer;

int make_lines(line_buffer *buffer, const bk_operand *operand, int64_t lines);
void free_lines(line_buffer *buffer);
// Decodes lines first, first + 1, … of the operand.
void decode_lines_of(line_buffer *buffer, int target, const bk_operand *operand,
                     const bk_accumulator *unit, int64_t first, int64_t count);

static inline int64_t block_count(const bk_operand *o) {
  return o->scale ? (o->depth + o->block - 1) / o->block : 0;
}

// One output, exactly as defined, without vectors. `c` and the result are patterns.
int64_t scalar_output(const plan *p, const line *a, const line *b, int64_t c);
// One fused step of it, for finite operands or not.
float scalar_fused_step(const plan *p, const line *a, const line *b, const step *s, float c);
// A float32 sum leaves the product: tensor scale, the output's format, its NaN.
int64_t finish_float(const plan *p, float sum);
int64_t float_pattern(const plan *p, float value);
int64_t start_pattern(const plan *p, int64_t index);
void store_pattern(const plan *p, void *output, int64_t index, int64_t pattern);
float half_value(uint32_t pattern);
uint32_t half_pattern(float value);

#endif
