#ifndef BK_MATMUL_H
#define BK_MATMUL_H

// Matrix products under a matrix unit's accumulation. The descriptors mirror NumberFormats'
// Accumulator and MatmulProblem field by field.

#include <stddef.h>
#include <stdint.h>

#include "block_kernels.h"

// Lines of codes along K; B is given transposed.
typedef struct {
  const bk_element *element;
  const void *codes;  // lines × depth, element->code_bytes each
  int64_t lines, depth;
  const bk_scale *scale;        // NULL: unscaled
  const uint32_t *scale_codes;  // lines × ceil(depth / block)
  int64_t block;
  int32_t has_tensor_scale;
  float tensor_scale;
} bk_operand;

enum { BK_SUM_EXACT, BK_SUM_FLOAT32, BK_SUM_FUSED, BK_SUM_INTEGER, BK_SUM_FIXED };
enum { BK_ORDER_SEQUENTIAL, BK_ORDER_PAIRWISE, BK_ORDER_CHAINS };
enum { BK_SUBNORMALS_KEEP, BK_SUBNORMALS_TO_POSITIVE_ZERO, BK_SUBNORMALS_TO_SIGNED_ZERO };
enum { BK_SCALING_NONE, BK_SCALING_PRODUCTS, BK_SCALING_GROUPS };
enum { BK_JOIN_FUSED, BK_JOIN_LATE, BK_JOIN_ADD };
enum { BK_OUT_FLOAT32, BK_OUT_FLOAT16, BK_OUT_INT32, BK_OUT_INT64 };

enum { BK_NONE = INT32_MIN };  // an optional number that is absent

typedef struct {
  int32_t kind;
  // float32 steps, fused steps, integer and fixed registers: terms of a step, 0 for all
  int32_t terms;
  // float32 steps
  int32_t order, chains, fused_multiply_add, scales_products, input_subnormals, flushes_results;
  // fused steps; align_fraction is BK_NONE where the sum is exact
  int32_t group, scaling, align_fraction, align_rounding, zero_exponent;
  int32_t join, join_rounding;
  int32_t late_sum_fraction, late_addend_fraction, late_drops_below, late_result_fraction;
  int32_t splits_even_odd, infinite_products;
  // registers
  int32_t width, lsb, saturates, cut_rounding;
  // output of a step
  int32_t mantissa_bits;  // of an eight-bit exponent; 10 with `half` for FP16
  int32_t half, rounding, overflows_to_largest, flushes_subnormals;
  uint32_t nan;
  int32_t promote_every;  // 0: never
} bk_accumulator;

typedef struct {
  bk_operand a, b;
  const int64_t *c;  // patterns, a.lines × b.lines; NULL: zeros
  bk_accumulator accumulator;
  int32_t sums_runs;  // A.6b's run rule
  int32_t output_type;  // BK_OUT_...
} bk_matmul;

// BK_OK, BK_NO_MEMORY, or BK_NOT_FINITE with the first bad operand: side 0 is A, 1 is B.
enum { BK_NOT_FINITE = 100 };
typedef struct {
  int32_t status, side;
  int64_t line, k;
} bk_matmul_result;

// D as patterns of output_type, row-major. Any accumulator; BK_SUM_EXACT is slow.
bk_matmul_result bk_multiply(int target, const bk_matmul *problem, void *output);

// The hand-tuned kernels of AVX-512: returns 1 when it computed the whole product, 0 when the case
// is not one it takes.
int bk_hot_matmul(const bk_matmul *problem, void *output);

#endif
