#include "formats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

driver_element elements[ELEMENT_COUNT];
driver_scale scales[SCALE_COUNT];

enum { NOTHING, IEEE, ALL_ONES_NAN, NEGATIVE_ZERO_NAN };

static bk_element float_format(int sign, int exponent, int mantissa, int bias, int non_finite,
                               uint32_t nan) {
  uint32_t ones = (uint32_t)((1ull << (exponent + mantissa)) - 1);
  uint32_t finite = non_finite == IEEE           ? ones - (1u << mantissa)
                    : non_finite == ALL_ONES_NAN ? ones - 1
                                                 : ones;
  bk_element e = {
      .mantissa_bits = mantissa,
      .min_exponent = 1 - bias,
      .max_code = finite,
      .max_code_negative = finite,
      .sign_mask = sign ? 1u << (exponent + mantissa) : 0,
      .code_mask = UINT32_MAX >> (32 - sign - exponent - mantissa),
      .has_negative_zero = sign && non_finite != NEGATIVE_ZERO_NAN,
      .has_nan = non_finite != NOTHING,
      .overflows_to_nan = non_finite == ALL_ONES_NAN || non_finite == NEGATIVE_ZERO_NAN,
      .nan_positive = nan,
      .nan_negative = nan,
      .has_infinity = non_finite == IEEE,
      .infinity_code = finite + 1,
      .first_special = finite + 1,
      .code_bytes = sign + exponent + mantissa <= 8 ? 1 : sign + exponent + mantissa <= 16 ? 2 : 4,
  };
  uint32_t fraction = (finite & ((1u << mantissa) - 1)) | 1u << mantissa;
  e.max_value = ldexpf((float)fraction, (int)(finite >> mantissa) - bias - mantissa);
  return e;
}

static bk_element integer_format(int bits, int fraction_bits, int twos_complement, int full) {
  uint32_t largest = (1u << (bits - 1)) - 1;
  return (bk_element){
      .min_exponent = 1000,
      .mantissa_bits = 1000 + fraction_bits,
      .max_code = largest,
      .max_code_negative = largest + (full ? 1 : 0),
      .twos_complement = twos_complement,
      .sign_mask = twos_complement ? 0 : largest + 1,
      .code_mask = (1u << bits) - 1,
      .has_negative_zero = !twos_complement,
      .first_special = UINT32_MAX,
      .code_bytes = 1,
      .max_value = ldexpf((float)largest, -fraction_bits),
  };
}

static bk_element codebook_format(const float *values, int count, int bits) {
  bk_element e = {.is_codebook = 1,
                  .codebook = values,
                  .codebook_count = count,
                  .code_mask = (1u << bits) - 1,
                  .code_bytes = bits > 8 ? 2 : 1};
  for (int i = 0; i < count; i++)
    e.max_value = fabsf(values[i]) > e.max_value ? fabsf(values[i]) : e.max_value;
  return e;
}

static const float nf4[16] = {
    -1.0f,        -0.6961928f,  -0.52507305f, -0.3949175f, -0.28444138f, -0.18477343f,
    -0.09105004f, 0.0f,         0.0795803f,   0.1609302f,  0.2461123f,   0.33791524f,
    0.44070983f,  0.562617f,    0.72295684f,  1.0f};
static const float ternary[3] = {-1, 0, 1};
static float squares[300];  // a codebook of two-byte codes, denser near zero

static void add_element(const char *name, bk_element format, double fraction) {
  static int count = 0;
  elements[count++] = (driver_element){name, format, fraction};
}

static void make_elements(void) {
  for (int i = 0; i < 300; i++) {
    float t = ((float)i - 149.5f) / 64;
    squares[i] = t < 0 ? -t * t : t * t;
  }
  add_element("e2m1", float_format(1, 2, 1, 1, NOTHING, 0), 0);
  add_element("e2m3", float_format(1, 2, 3, 1, NOTHING, 0), 0);
  add_element("e3m2", float_format(1, 3, 2, 3, NOTHING, 0), 0);
  add_element("e4m3", float_format(1, 4, 3, 7, ALL_ONES_NAN, 0x7f), 0);
  add_element("e5m2", float_format(1, 5, 2, 15, IEEE, 0x7e), 0);
  add_element("e4m3_fnuz", float_format(1, 4, 3, 8, NEGATIVE_ZERO_NAN, 0x80), 0);
  add_element("e3m0", float_format(1, 3, 0, 3, NOTHING, 0), 0);
  add_element("e1m2", float_format(1, 1, 2, 1, NOTHING, 0), 0);
  add_element("int8", integer_format(8, 0, 1, 0), 1);
  add_element("int4", integer_format(4, 0, 1, 0), 1);
  add_element("int2", integer_format(2, 0, 1, 0), 1);
  add_element("int8_full", integer_format(8, 0, 1, 1), 1);
  add_element("int4_full", integer_format(4, 0, 1, 1), 1);
  add_element("mxint8", integer_format(8, 6, 1, 0), 0x1p-6);
  add_element("e0m7", integer_format(8, 6, 0, 0), 0x1p-6);
  add_element("e0m3", integer_format(4, 2, 0, 0), 0x1p-2);
  add_element("nf4", codebook_format(nf4, 16, 4), 0.125);
  add_element("ternary", codebook_format(ternary, 3, 2), 1);
  add_element("squares", codebook_format(squares, 300, 9), 0.0625);
  add_element("bf16", float_format(1, 8, 7, 127, IEEE, 0x7fc0), 0);
  add_element("fp16", float_format(1, 5, 10, 15, IEEE, 0x7e00), 0);
  add_element("tf32", float_format(1, 8, 10, 127, IEEE, 0x3fe00), 0);
}

static void add_scale(const char *name, int kind, bk_element format, int bits) {
  static int count = 0;
  format.has_nan = 1;
  format.code_bytes = 4;
  uint32_t ignored = bits < 32 ? ~(uint32_t)((1ull << bits) - 1) : 0;
  scales[count++] = (driver_scale){
      name,
      {.kind = kind, .format = format, .nan_code = format.nan_positive, .ignored_bits = ignored}};
}

void make_formats(void) {
  bk_element fp32 = float_format(1, 8, 23, 127, IEEE, 0x7fc00000);
  make_elements();
  add_scale("e8m0", BK_SCALE_E8M0, float_format(0, 8, 0, 127, ALL_ONES_NAN, 0xff), 8);
  add_scale("ue4m3", BK_SCALE_FLOAT, float_format(0, 4, 3, 7, ALL_ONES_NAN, 0x7f), 7);
  add_scale("ue5m3", BK_SCALE_FLOAT, float_format(0, 5, 3, 15, ALL_ONES_NAN, 0xff), 8);
  add_scale("bf16", BK_SCALE_FLOAT, float_format(1, 8, 7, 127, IEEE, 0x7fc0), 16);
  add_scale("fp16", BK_SCALE_FLOAT, float_format(1, 5, 10, 15, IEEE, 0x7e00), 16);
  add_scale("fp32", BK_SCALE_FLOAT, fp32, 32);
  add_scale("fp32_pow2", BK_SCALE_POWER_OF_TWO_FP32, fp32, 32);
}

const driver_element *element_named(const char *name) {
  for (int i = 0; i < ELEMENT_COUNT; i++)
    if (strcmp(elements[i].name, name) == 0) return &elements[i];
  fprintf(stderr, "driver: no element %s\n", name);
  exit(2);
}

const driver_scale *scale_named(const char *name) {
  for (int i = 0; i < SCALE_COUNT; i++)
    if (strcmp(scales[i].name, name) == 0) return &scales[i];
  fprintf(stderr, "driver: no scale %s\n", name);
  exit(2);
}

bk_scale scale_for(const driver_scale *scale, const bk_element *element) {
  bk_scale s = scale->format;
  s.element_exponent = ilogbf(element->max_value);
  return s;
}
