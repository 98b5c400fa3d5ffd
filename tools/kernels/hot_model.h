// The results that the AVX-512 matrix kernels must give, from their definitions, in integers.
#ifndef DRIVER_HOT_MODEL_H
#define DRIVER_HOT_MODEL_H

#include "matmul.h"

// A finite number: units · 2^exponent.
typedef struct {
  __int128 units;
  int exponent;
} model_number;

// units · 2^exponent to a float's bits, `mantissa` bits kept; a result of zero is +0.
uint32_t model_round(model_number x, int mantissa, int to_nearest);
model_number model_sum(model_number a, model_number b);
model_number model_float(uint32_t bits);
// A code's significand and exponent; a subnormal keeps the smallest exponent.
model_number model_element(const bk_element *e, uint32_t code, int *exponent);
// The scale of term k of a line, and its exponent as units need it.
model_number model_scale(const bk_operand *o, int64_t line, int64_t k, int *exponent);

// One element of the product: the pattern of the problem's output type.
int64_t model_groups(const bk_matmul *p, int64_t i, int64_t j);
int64_t model_exact(const bk_matmul *p, int64_t i, int64_t j);
int64_t model_integer(const bk_matmul *p, int64_t i, int64_t j);
int64_t model_products(const bk_matmul *p, int64_t i, int64_t j);

#endif
