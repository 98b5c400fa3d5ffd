// Named recipes: the steps of one stack each, in the numbers of recipe_scale.h.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "formats.h"
#include "grids.h"
#include "harness.h"
#include "recipe_scale.h"

#pragma STDC FP_CONTRACT OFF

enum { KEEP_ZERO, DROP_ZERO, DROP_EXACT_ZERO, ZERO_IS_NEGATIVE };

typedef struct {
  const char *name, *element, *scale;
  int rounding;
  bk_recipe steps;
} driver_recipe;

#define CLAMP(low, high) .has_clamp = 1, .clamp_low = (low), .clamp_high = (high)
#define NON_FINITE(nan, infinity) .nan_scale = (nan), .infinity_scale = (infinity)
#define ENCODE(g) .encode_scale = (g), .decode_scale = 1 / (g), .tensor_amax = 2688 / (g)
#define PLAIN ENCODE(1.0f)

static const uint32_t arguments[2] = {0x40c00000, 0x3e124925};
static const uint32_t results[2] = {0x3e2aaaac, 0x40e00001};

static const driver_recipe recipes[] = {
    {"microxcaling-py", "e4m3", "e8m0", 0,
     {.amax = AMAX_POISON, .scale_value = VALUE_LOG2, .scale_rounding = SCALE_FLOOR, CLAMP(0, 254),
      .overflow = OVERFLOW_NAN, NON_FINITE(0xff, 0xff), .multiplier = TIMES_OVER_POWER_OF_TWO,
      .element_rounding = ELEMENT_PRIVATE_AWAY, .negative_zero = DROP_EXACT_ZERO, PLAIN}},
    {"microxcaling-int", "mxint8", "e8m0", 0,
     {.amax = AMAX_POISON, .scale_value = VALUE_LOG2, .scale_rounding = SCALE_FLOOR, CLAMP(0, 254),
      .overflow = OVERFLOW_NAN, NON_FINITE(0xff, 0xff), .multiplier = TIMES_OVER_POWER_OF_TWO,
      .element_rounding = ELEMENT_PRIVATE_EVEN, .nan_rule = NAN_CODE, PLAIN}},
    {"torchao-floor", "e5m2", "e8m0", 0,
     {.amax = AMAX_PROPAGATE_NAN, .scale_value = VALUE_EXPONENT, .scale_rounding = SCALE_FLOOR,
      CLAMP(0, 255), .overflow = OVERFLOW_NAN, NON_FINITE(0xff, 0xff),
      .multiplier = TIMES_POWER_OF_TWO, .byte_zero_multiplier = BYTE_ZERO_HALVED, PLAIN}},
    {"torchao-even", "e2m3", "e8m0", 0,
     {.amax = AMAX_PROPAGATE_NAN, .scale_value = VALUE_EXPONENT, .scale_rounding = SCALE_EVEN,
      .even_mantissa_bits = 3, CLAMP(0, 255), .overflow = OVERFLOW_NAN, NON_FINITE(0xff, 0xff),
      .multiplier = TIMES_POWER_OF_TWO, .byte_zero_multiplier = BYTE_ZERO_HALVED,
      .nan_rule = NAN_SIGNED_CODE, .nan_code = 0x1f, PLAIN}},
    {"te-mxfp8", "e4m3", "e8m0", 0,
     {.scale_value = VALUE_TIMES_RECIPROCAL, .scale_rounding = SCALE_CEIL_GUARD, CLAMP(0, 254),
      NON_FINITE(0xff, 0xfe), .multiplier = TIMES_POWER_OF_TWO, PLAIN}},
    {"te-2.15", "e2m1", "ue4m3", 0,
     {.scale_value = VALUE_TIMES_G_RECIPROCAL, .scale_rounding = SCALE_TIES_TO_EVEN, CLAMP(0, 448),
      NON_FINITE(0x7f, 0x7e), .multiplier = TIMES_GUARDED, .nan_rule = NAN_CODE, .nan_code = 7,
      .dequantize = 2, ENCODE(312.7f)}},
    {"te-4over6", "e2m1", "ue4m3", BK_ROUND_STOCHASTIC,
     {.scale_value = VALUE_DIVIDE_TIMES_G, .scale_rounding = SCALE_TIES_TO_EVEN, CLAMP(0, 448),
      NON_FINITE(0x7f, 0x7e), .multiplier = TIMES_GUARDED, .nan_rule = NAN_CODE, .nan_code = 7,
      .search = 1, ENCODE(312.7f)}},
    {"vllm-cuda", "e2m1", "ue4m3", 0,
     {.scale_value = VALUE_APPROXIMATE_TIMES_G, .scale_rounding = SCALE_TIES_TO_EVEN, CLAMP(0, 448),
      NON_FINITE(-1, -1), .multiplier = TIMES_APPROXIMATE_SCALE_GUARD, .nan_rule = NAN_CODE,
      .nan_code = 7, .reciprocal_arguments = arguments, .reciprocal_results = results,
      .reciprocal_count = 2, ENCODE(77.5f)}},
    {"vllm-ref", "e2m1", "ue4m3", 0,
     {.amax = AMAX_PROPAGATE_NAN, .scale_value = VALUE_RECIPROCAL_TIMES_G,
      .scale_rounding = SCALE_TIES_TO_EVEN, CLAMP(-448, 448), NON_FINITE(-1, 0x7e),
      .multiplier = TIMES_SAFE, .nan_rule = NAN_UNKNOWN, ENCODE(312.7f)}},
    {"torchao-nvfp4", "e2m1", "ue4m3", BK_ROUND_TOWARD_ZERO,
     {.amax = AMAX_PROPAGATE_NAN, .scale_value = VALUE_DIVIDE_BY_P,
      .scale_rounding = SCALE_TIES_TO_EVEN, CLAMP(0.015625, 448), NON_FINITE(0x7f, 0x7e),
      .multiplier = TIMES_RECIPROCAL_P_OVER_S, .nan_rule = NAN_UNKNOWN, .dequantize = 1,
      ENCODE(312.7f)}},
    {"mslk-nvfp4", "e2m1", "ue4m3", BK_ROUND_TIES_TO_AWAY,
     {.scale_value = VALUE_DIVIDE_TIMES_G, .scale_rounding = SCALE_TIES_TO_EVEN,
      CLAMP(0.001953125, 448), NON_FINITE(-1, 0x7e), .multiplier = TIMES_G_OVER_S,
      .nan_rule = NAN_CODE, .nan_code = 7, ENCODE(312.7f)}},
    {"modelopt-nvfp4", "e2m1", "ue4m3", 0,
     {.amax = AMAX_PROPAGATE_NAN, .scale_value = VALUE_DIVIDE_BY_MAX_P,
      .scale_rounding = SCALE_TIES_TO_EVEN, CLAMP(0.001953125, 448), NON_FINITE(0x7f, 0x7e),
      .zero_rule = ZERO_VALUE, .zero_value = 1, .multiplier = TIMES_OVER_SP, .nan_rule = NAN_CODE,
      .nan_code = 7, .negative_zero = DROP_EXACT_ZERO, .dequantize = 1, .unsigned_zero = 1,
      ENCODE(312.7f)}},
    {"ct-nvfp4", "e2m1", "ue4m3", 0,
     {.amax = AMAX_PROPAGATE_NAN, .scale_value = VALUE_INPUT_DIVIDE_TIMES_G,
      .scale_rounding = SCALE_TIES_TO_EVEN, CLAMP(-448, 448), NON_FINITE(-1, 0x7e),
      .zero_rule = ZERO_CODE, .zero_code = 0x20, .multiplier = TIMES_OVER_S_OVER_G,
      .nan_rule = NAN_UNKNOWN, .negative_zero = DROP_EXACT_ZERO, .dequantize = 3,
      .compute_type = 1, ENCODE(312.7f)}},
    {"ct-nvfp4-fp16", "e2m1", "ue4m3", 0,
     {.amax = AMAX_PROPAGATE_NAN, .scale_value = VALUE_INPUT_DIVIDE_TIMES_G,
      .scale_rounding = SCALE_TIES_TO_EVEN, CLAMP(-448, 448), NON_FINITE(-1, 0x7e),
      .zero_rule = ZERO_CODE, .zero_code = 0x20, .multiplier = TIMES_OVER_S_OVER_G,
      .nan_rule = NAN_UNKNOWN, .negative_zero = DROP_EXACT_ZERO, .dequantize = 3,
      .compute_type = 2, ENCODE(312.7f)}},
    {"ggml-nvfp4", "e2m1", "ue4m3", 0,
     {.scale_value = VALUE_DIVIDE, .scale_rounding = SCALE_HALF_UP_1, CLAMP(0, 448),
      NON_FINITE(0, 0x7e), .multiplier = TIMES_NEAREST_CODE, .nan_rule = NAN_CODE,
      .negative_zero = DROP_ZERO, PLAIN}},
    {"ggml-mxfp4", "e2m1", "e8m0", 0,
     {.scale_value = VALUE_LOG2, .scale_rounding = SCALE_FLOOR, .overflow = OVERFLOW_WRAP,
      NON_FINITE(-1, -1), .zero_rule = ZERO_AMAX, .multiplier = TIMES_NEAREST_CODE,
      .nan_rule = NAN_CODE, .negative_zero = DROP_ZERO, PLAIN}},
    {"ggml-cuda", "e2m1", "e8m0", 0,
     {.scale_value = VALUE_LOG2, .scale_rounding = SCALE_RINT_LOG2, CLAMP(0, 254),
      NON_FINITE(-1, -1), .multiplier = TIMES_OVER_POWER_OF_TWO, .nan_rule = NAN_UNKNOWN, PLAIN}},
    {"modelopt-mxfp4", "e2m1", "e8m0", BK_ROUND_TIES_TOWARD_ZERO,
     {.amax = AMAX_UNKNOWN, .scale_value = VALUE_DIVIDE, .scale_rounding = SCALE_CEIL_LOG2,
      CLAMP(0, 255), .overflow = OVERFLOW_UNKNOWN, NON_FINITE(-1, -1),
      .multiplier = TIMES_OVER_POWER_OF_TWO, .nan_rule = NAN_UNKNOWN,
      .negative_zero = ZERO_IS_NEGATIVE, PLAIN}},
    {"rint-divide", "e2m1", "e8m0", 0,
     {.scale_value = VALUE_DIVIDE, .scale_rounding = SCALE_RINT_LOG2, CLAMP(0, 254),
      NON_FINITE(-1, -1), .multiplier = TIMES_OVER_POWER_OF_TWO, .nan_rule = NAN_UNKNOWN, PLAIN}},
    {"triton-up", "e4m3", "e8m0", 0,
     {.amax = AMAX_UNKNOWN, .scale_value = VALUE_DIVIDE, .scale_rounding = SCALE_CEIL,
      CLAMP(0, 254), .overflow = OVERFLOW_UNKNOWN, NON_FINITE(-1, -1), .zero_rule = ZERO_AMAX,
      .multiplier = TIMES_RECIPROCAL_S, .byte_zero_multiplier = BYTE_ZERO_ZERO,
      .nan_rule = NAN_UNKNOWN, PLAIN}},
    {"aiter-down", "e3m2", "e8m0", 0,
     {.amax = AMAX_UNKNOWN, .scale_value = VALUE_EXPONENT, .scale_rounding = SCALE_FLOOR,
      CLAMP(0, 253), .overflow = OVERFLOW_NAN, NON_FINITE(0xff, 0xff), .zero_rule = ZERO_UNKNOWN,
      .multiplier = TIMES_OVER_POWER_OF_TWO, .nan_rule = NAN_UNKNOWN, PLAIN}},
    {"te-fp8-block", "e4m3", "fp32", 0,
     {.scale_value = VALUE_ENCODE_DIVIDE, .scale_rounding = SCALE_ENCODE_POWER_OF_TWO,
      NON_FINITE(0x3f800000, 0x3f800000), .zero_rule = ZERO_AMAX, .zero_code = 0x3f800000,
      .multiplier = TIMES_ENCODE, PLAIN}},
    {"te-fp8-block-fp32", "e5m2", "fp32", 0,
     {.scale_value = VALUE_ENCODE_DIVIDE, .scale_rounding = SCALE_ENCODE_RECIPROCAL,
      NON_FINITE(0x3f800000, 0x3f800000), .zero_rule = ZERO_AMAX, .zero_code = 0x3f800000,
      .multiplier = TIMES_ENCODE, PLAIN}},
    {"q8_0", "int8", "fp16", BK_ROUND_TIES_TO_AWAY,
     {.scale_value = VALUE_DIVIDE, .scale_rounding = SCALE_TIES_TO_EVEN,
      .overflow = OVERFLOW_INFINITY, NON_FINITE(-1, 0x7c00),
      .multiplier = TIMES_RECIPROCAL_UNROUNDED, .nan_rule = NAN_UNKNOWN, PLAIN}},
    {"q4_0", "int4_full", "fp16", 0,
     {.amax = AMAX_SIGNED_FIRST, .scale_value = VALUE_SIGNED_DIVIDE,
      .scale_rounding = SCALE_TIES_TO_EVEN, .overflow = OVERFLOW_INFINITY, NON_FINITE(-1, -1),
      .multiplier = TIMES_RECIPROCAL_UNROUNDED, .element_rounding = ELEMENT_OFFSET_TRUNCATE,
      .nan_rule = NAN_UNKNOWN, PLAIN}},
    {"ct-int8", "int8_full", "fp32", 0,
     {.amax = AMAX_PROPAGATE_NAN, .scale_value = VALUE_HALF_SPAN,
      .scale_rounding = SCALE_TIES_TO_EVEN, NON_FINITE(-1, -1), .multiplier = TIMES_OVER_S,
      .nan_rule = NAN_UNKNOWN, PLAIN}},
};
enum { RECIPE_COUNT = sizeof recipes / sizeof recipes[0] };

typedef struct {
  const driver_recipe *recipe;
  bk_job job;
  const bk_grid *grid;
  int kind;
} recipe_context;

// Codes where every block's steps are established, and the first refusal where not.
static checksum quantize(int target, const void *context) {
  const recipe_context *c = context;
  size_t count = grid_elements(c->grid), blocks = grid_blocks(c->grid);
  size_t bytes = (size_t)c->job.element.code_bytes;
  const float *x = make_input(c->kind, count, 31);
  int bits = c->job.random_bits;
  const uint32_t *random = bits ? make_random(count, bits, 32) : NULL;
  uint8_t *codes = take(count, bytes, 0xaa);
  uint32_t *stored = take(blocks, sizeof(uint32_t), 0xaa);
  float *output = take(count, sizeof(float), 0xaa);
  const bk_recipe *steps = &c->recipe->steps;
  bk_result r = bk_quantize_recipe(target, &c->job, steps, c->grid, x, random, NULL, codes, stored);
  checksum sum = add_bytes(CHECKSUM_START, &r.status, sizeof r.status);
  if (r.status == BK_OK) {
    bk_dequantize(target, &c->job, steps, c->grid, codes, stored, output);
    sum = add_bytes(sum, &r.clamped_scales, sizeof r.clamped_scales);
    sum = add_bytes(sum, codes, count * bytes);
    sum = add_bytes(sum, stored, blocks * sizeof(uint32_t));
    sum = add_bytes(sum, output, count * sizeof(float));
  } else {
    sum = add_bytes(sum, &r.position, sizeof r.position);
  }
  // The maxima given: the same results.
  uint8_t *again = take(count, bytes, 0xaa);
  uint32_t *scales_again = take(blocks, sizeof(uint32_t), 0xaa);
  bk_result s = bk_quantize_recipe(target, &c->job, steps, c->grid, x, random,
                                   make_maxima(c->grid, x), again, scales_again);
  expect(s.status == r.status && s.position == r.position &&
             s.clamped_scales == r.clamped_scales && memcmp(again, codes, count * bytes) == 0 &&
             memcmp(scales_again, stored, blocks * sizeof(uint32_t)) == 0,
         "recipe %s: %s: results differ with the maxima given", c->recipe->name,
         target_name(target));
  release();
  return sum;
}

void recipe_cases(void) {
  for (int i = 0; i < RECIPE_COUNT; i++) {
    const driver_recipe *recipe = &recipes[i];
    recipe_context c = {.recipe = recipe};
    c.job.element = element_named(recipe->element)->format;
    c.job.scale = scale_for(scale_named(recipe->scale), &c.job.element);
    c.job.rounding = recipe->rounding;
    c.job.random_bits = recipe->rounding == BK_ROUND_STOCHASTIC ? 8 : 0;
    c.job.tensor_scale = recipe->steps.decode_scale;
    for (int grid = 0; grid < GRID_COUNT; grid++)
      for (int k = 0; k < 2; k++) {
        c.grid = &grids[grid];
        c.kind = (grid + i + 4 * k) % KIND_COUNT;
        run_case(quantize, &c, "recipe %s %s grid %d", recipe->name, kind_names[c.kind], grid);
      }
  }
}
