// Whole tensors, block by block.
#include <float.h>
#include <math.h>

#include "blockscale_handles.h"

#pragma STDC FP_CONTRACT OFF

int bs_check_random(const bs_format *f, const uint32_t *random, int64_t count);

typedef struct {
  float decode, encode, amax;
} tensor_factors;

static int64_t clipped(int64_t size, int64_t length) {
  return length < 1 ? 1 : size < length ? size : length;
}

static int make_grid(const bs_format *f, int64_t matrices, int64_t rows, int64_t columns,
                     bk_grid *grid, int64_t *count) {
  if (!bs_is_format(f)) return bs_fail(BS_BAD_ARGUMENT, "the format handle is NULL or not open");
  if (!f->has_scale)
    return bs_failf(BS_NOT_DEFINED, "%s is an element format, without blocks", f->name);
  if (!bs_count(matrices, rows, columns, count))
    return bs_failf(BS_BAD_ARGUMENT, "the sizes are %lld, %lld and %lld", (long long)matrices,
                    (long long)rows, (long long)columns);
  *grid = (bk_grid){1, *count > 0 ? matrices * rows : 0, columns, 1, clipped(columns, columns)};
  switch (f->block_kind) {
  case BS_BLOCK_LINE: grid->tile_columns = clipped(f->block_columns, columns); break;
  case BS_BLOCK_TILE:
    *grid = (bk_grid){matrices, rows, columns, clipped(f->block_rows, rows),
                      clipped(f->block_columns, columns)};
    break;
  case BS_BLOCK_TENSOR: *grid = (bk_grid){1, 1, *count, 1, clipped(*count, *count)}; break;
  default: break;
  }
  return BS_OK;
}

int64_t bs_scale_count(const bs_format *f, int64_t matrices, int64_t rows, int64_t columns) {
  bk_grid g;
  int64_t count;
  if (make_grid(f, matrices, rows, columns, &g, &count) != BS_OK) return -1;
  if (count == 0) return 0;
  return g.outer * ((g.rows + g.tile_rows - 1) / g.tile_rows) *
         ((g.columns + g.tile_columns - 1) / g.tile_columns);
}

// G of a named recipe whose tensor's amax is known.
static float encode_factor(int rule, float amax) {
  float factor;
  switch (rule) {
  case BS_FACTOR_ENCODE_2688:
  case BS_FACTOR_ENCODE_1536:
    factor = (rule == BS_FACTOR_ENCODE_2688 ? 2688.0f : 1536.0f) / amax;
    if (factor > FLT_MAX) factor = FLT_MAX;
    return amax == 0 || factor == 0 ? 1 : factor;
  case BS_FACTOR_ENCODE_PLAIN_2688: return 2688.0f / amax;
  default:
    factor = 1.0f / amax * 2688.0f;
    return isfinite(factor) ? factor : 1;
  }
}

// `given` is 0 where T is to be worked out from amax.
static int choose_factors(const bs_format *f, float amax, float given, tensor_factors *t) {
  if (given != 0 && !(isfinite(given) && given > 0))
    return bs_failf(BS_BAD_ARGUMENT, "the tensor scale is %g, expected above 0", (double)given);
  t->amax = amax;
  t->decode = given != 0 ? given : 1;
  t->encode = 1 / t->decode;
  int clamped;
  switch (f->tensor_rule) {
  case BS_FACTOR_ONE: return BS_OK;
  case BS_FACTOR_EXACT:
    if (given == 0 && amax > 0) {
      uint32_t bits = bk_exact_scale(&f->tensor_job, amax, &clamped);
      __builtin_memcpy(&t->decode, &bits, sizeof bits);
    }
    return BS_OK;
  case BS_FACTOR_REFUSED:
    if (t->decode == 1) return BS_OK;
    return bs_failf(BS_UNKNOWN_STEP, "recipe %s has no tensor scale", f->recipe_name);
  case BS_FACTOR_DECODE_2688:
    if (given == 0) t->decode = amax / 2688.0f;
    t->encode = 1 / t->decode;
    return BS_OK;
  default:
    if (given != 0) return BS_OK;
    t->encode = encode_factor(f->tensor_rule, amax);
    t->decode = 1 / t->encode;
    return BS_OK;
  }
}

static int find_factors(const bs_format *f, float amax, float given, tensor_factors *t) {
  int code = choose_factors(f, amax, given, t);
  if (code != BS_OK || (isfinite(t->decode) && t->decode > 0)) return code;
  return bs_failf(BS_NOT_DEFINED, "recipe %s gives the tensor scale %g for the largest magnitude %g",
                  f->recipe_name, (double)t->decode, (double)amax);
}

int bs_tensor_scale(const bs_format *f, float amax, float *tensor_scale) {
  if (!bs_is_format(f) || !tensor_scale || !(amax >= 0 && isfinite(amax)))
    return bs_fail(BS_BAD_ARGUMENT, "expected an open handle, a place and a finite amax");
  tensor_factors t;
  int code = find_factors(f, amax, 0, &t);
  if (code == BS_OK) *tensor_scale = t.decode;
  return code;
}

static bk_recipe recipe_with(const bs_format *f, const tensor_factors *t) {
  bk_recipe recipe = f->recipe;
  recipe.encode_scale = t->encode;
  recipe.decode_scale = t->decode;
  recipe.tensor_amax = t->amax;
  return recipe;
}

static const char *step_name(int status) {
  switch (status) {
  case BK_UNKNOWN_AMAX: return "the amax of a block with NaN or infinity";
  case BK_UNKNOWN_NAN_AMAX_SCALE: return "the scale of a NaN amax";
  case BK_UNKNOWN_INFINITE_AMAX_SCALE: return "the scale of an infinite amax";
  case BK_UNKNOWN_ZERO_SCALE: return "the scale of a block of zeros";
  case BK_UNKNOWN_NAN_SCALE: return "a NaN scale";
  case BK_UNKNOWN_INFINITE_SCALE: return "an infinite scale";
  case BK_UNKNOWN_OVERFLOW: return "a scale above the range";
  case BK_UNKNOWN_FACTOR_OVERFLOW: return "an encode-side factor above the range";
  case BK_UNKNOWN_MULTIPLIER: return "the element step";
  default: return "the code of a NaN or infinite quotient";
  }
}

static int finish(const bs_format *f, bk_result result, int64_t *clamped) {
  if (clamped) *clamped = result.clamped_scales;
  if (result.status == BK_OK) return BS_OK;
  if (result.status == BK_NO_MEMORY) return bs_fail(BS_NO_MEMORY, "not enough memory");
  return bs_failf(BS_UNKNOWN_STEP, "element %lld: recipe %s does not establish %s",
                  (long long)result.position, f->recipe_name, step_name(result.status));
}

int bs_quantize(const bs_format *f, const float *values, int64_t matrices, int64_t rows,
                int64_t columns, float *tensor_scale, const uint32_t *random, void *codes,
                uint32_t *scales, int64_t *clamped) {
  bk_grid grid;
  int64_t count, others;
  int code = make_grid(f, matrices, rows, columns, &grid, &count);
  if (code != BS_OK) return code;
  if (count > 0 && (!values || !codes || !scales))
    return bs_fail(BS_BAD_ARGUMENT, "the values, the codes or the scales are NULL");
  code = bs_check_random(f, random, count);
  if (code != BS_OK) return code;
  float given = tensor_scale ? *tensor_scale : 0, amax = 0;
  if (count > 0 && (f->has_recipe || (f->tensor_rule == BS_FACTOR_EXACT && given == 0)))
    amax = bk_finite_amax(f->target, values, (size_t)count, &others);
  tensor_factors t;
  code = find_factors(f, count > 0 ? amax : 1, given, &t);
  if (code != BS_OK) return code;
  if (count == 0 && given == 0) t.decode = 1;
  if (tensor_scale) *tensor_scale = t.decode;
  if (clamped) *clamped = 0;
  if (count == 0) return BS_OK;
  bk_job job = f->job;
  job.tensor_scale = t.decode;
  const uint32_t *bits = f->job.random_bits ? random : NULL;
  if (!f->has_recipe)
    return finish(
        f, bk_quantize_exact(f->target, &job, &grid, values, bits, NULL, 0, codes, scales), clamped);
  bk_recipe recipe = recipe_with(f, &t);
  return finish(
      f, bk_quantize_recipe(f->target, &job, &recipe, &grid, values, bits, NULL, codes, scales),
      clamped);
}

int bs_dequantize(const bs_format *f, const void *codes, const uint32_t *scales, int64_t matrices,
                  int64_t rows, int64_t columns, float tensor_scale, float *values) {
  bk_grid grid;
  int64_t count;
  int code = make_grid(f, matrices, rows, columns, &grid, &count);
  if (code != BS_OK) return code;
  if (count > 0 && (!values || !codes || !scales))
    return bs_fail(BS_BAD_ARGUMENT, "the values, the codes or the scales are NULL");
  if (!(isfinite(tensor_scale) && tensor_scale > 0))
    return bs_failf(BS_BAD_ARGUMENT, "the tensor scale is %g, expected above 0",
                    (double)tensor_scale);
  if (count == 0) return BS_OK;
  bk_job job = f->job;
  job.tensor_scale = tensor_scale;
  // Where only the factor is known, the amax is what gave it.
  tensor_factors t = {tensor_scale, 1 / tensor_scale, tensor_scale * 2688};
  bk_recipe recipe = recipe_with(f, &t);
  bk_dequantize(f->target, &job, f->has_recipe ? &recipe : NULL, &grid, codes, scales, values);
  return BS_OK;
}
