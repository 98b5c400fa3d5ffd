// A block's scale by a stack's own float32 steps (NumberFormats/NamedRecipe).
#ifndef RECIPE_SCALE_H
#define RECIPE_SCALE_H

#include "kernels.h"

enum { AMAX_IGNORE_NAN, AMAX_PROPAGATE_NAN, AMAX_POISON, AMAX_SIGNED_FIRST, AMAX_UNKNOWN };
enum {
  VALUE_EXPONENT,
  VALUE_LOG2,
  VALUE_DIVIDE,
  VALUE_TIMES_RECIPROCAL,
  VALUE_TIMES_G_RECIPROCAL,
  VALUE_DIVIDE_TIMES_G,
  VALUE_RECIPROCAL_TIMES_G,
  VALUE_APPROXIMATE_TIMES_G,
  VALUE_APPROXIMATE,
  VALUE_DIVIDE_BY_P,
  VALUE_DIVIDE_BY_MAX_P,
  VALUE_INPUT_DIVIDE_TIMES_G,
  VALUE_ENCODE_DIVIDE,
  VALUE_SIGNED_DIVIDE,
  VALUE_HALF_SPAN
};
enum {
  SCALE_FLOOR,
  SCALE_CEIL,
  SCALE_CEIL_GUARD,
  SCALE_EVEN,
  SCALE_RINT_LOG2,
  SCALE_CEIL_LOG2,
  SCALE_TIES_TO_EVEN,
  SCALE_HALF_UP_1,
  SCALE_ENCODE_POWER_OF_TWO,
  SCALE_ENCODE_RECIPROCAL
};
enum { OVERFLOW_SATURATE, OVERFLOW_NAN, OVERFLOW_INFINITY, OVERFLOW_WRAP, OVERFLOW_UNKNOWN };
enum { ZERO_AS_COMPUTED, ZERO_AMAX, ZERO_VALUE, ZERO_CODE, ZERO_UNKNOWN };
enum {
  TIMES_OVER_S,
  TIMES_OVER_SP,
  TIMES_OVER_S_OVER_G,
  TIMES_RECIPROCAL_S,
  TIMES_GUARDED,
  TIMES_SAFE,
  TIMES_RECIPROCAL_P_OVER_S,
  TIMES_G_OVER_S,
  TIMES_APPROXIMATE,
  TIMES_APPROXIMATE_SCALE_GUARD,
  TIMES_POWER_OF_TWO,
  TIMES_OVER_POWER_OF_TWO,
  TIMES_ENCODE,
  TIMES_RECIPROCAL_UNROUNDED,
  TIMES_NEAREST_CODE,
  TIMES_UNKNOWN
};
enum { BYTE_ZERO_AS_COMPUTED, BYTE_ZERO_ONE, BYTE_ZERO_ZERO, BYTE_ZERO_HALVED };
enum {
  ELEMENT_TIES_TO_EVEN,
  ELEMENT_TIES_TO_AWAY,
  ELEMENT_TIES_TOWARD_ZERO,
  ELEMENT_TOWARD_ZERO,
  ELEMENT_PRIVATE_EVEN,
  ELEMENT_PRIVATE_AWAY,
  ELEMENT_PRIVATE_TOWARD_ZERO,
  ELEMENT_OFFSET_TRUNCATE
};
enum { NAN_CANONICAL, NAN_CODE, NAN_SIGNED_CODE, NAN_UNKNOWN };

// What a block's numbers are scaled with.
typedef struct {
  uint32_t code;
  float factor;  // of the quotient: x / factor or x · factor
  int clamped;
} recipe_block;

// The stored scale and the factor for a block with (for signedFirst: signed) amax `a`. Returns a
// BK_ status. `stretch` multiplies the scale value (4over6), 1 otherwise.
int recipe_scale(const bk_job *job, const bk_recipe *r, float a, float stretch, recipe_block *out);
// Whether the recipe divides by its factor.
int recipe_divides(const bk_recipe *r);

#endif
