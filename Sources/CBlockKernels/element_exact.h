// One element rounded by exact comparisons: what the vector loops fall back on.
#ifndef ELEMENT_EXACT_H
#define ELEMENT_EXACT_H

#include "exact_compare.h"

// The code of x / d, saturating. x is finite.
uint32_t bk_element_exact(const bk_element *e, float x, bk_exact d, int rounding, int random_bits,
                          uint32_t random);
// The magnitude code of a / d by tiesToEven with an unbounded range above (a ≥ 0, finite).
uint32_t bk_magnitude_exact(const bk_element *e, float a, bk_exact d);
// Attaches a sign to a magnitude code.
uint32_t bk_signed_code(const bk_element *e, uint32_t magnitude, int negative);
// The scale of a block; `amax` NaN for one that holds NaN or infinity.
uint32_t bk_scale_exact(const bk_job *job, float amax, int *clamped);
float bk_scale_value(const bk_scale *s, uint32_t code);
// The exact divisor s·T.
bk_exact bk_divisor(const bk_job *job, uint32_t scale_code);

#endif
