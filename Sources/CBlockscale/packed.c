// The same calls on packed vectors.
#include <string.h>

#include "blockscale_handles.h"

#pragma STDC FP_CONTRACT OFF

static uint32_t field_at(const uint32_t *vector, int bits, int64_t i) {
  int64_t at = i * bits;
  uint64_t pair = vector[at / 32];
  if (at % 32 + bits > 32) pair |= (uint64_t)vector[at / 32 + 1] << 32;
  return (uint32_t)(pair >> (at % 32)) & (UINT32_MAX >> (32 - bits));
}

static uint32_t code_at(const void *codes, int bytes, int64_t i) {
  switch (bytes) {
  case 1: return ((const uint8_t *)codes)[i];
  case 2: return ((const uint16_t *)codes)[i];
  default: return ((const uint32_t *)codes)[i];
  }
}

static void unpack(const uint32_t *vector, int bits, int64_t count, int bytes, void *codes) {
  for (int64_t i = 0; i < count; i++) {
    uint32_t code = field_at(vector, bits, i);
    switch (bytes) {
    case 1: ((uint8_t *)codes)[i] = (uint8_t)code; break;
    case 2: ((uint16_t *)codes)[i] = (uint16_t)code; break;
    default: ((uint32_t *)codes)[i] = code;
    }
  }
}

static void pack(const void *codes, int bytes, int bits, int64_t count, uint32_t *vector,
                 int words) {
  memset(vector, 0, (size_t)words * sizeof *vector);
  for (int64_t i = 0; i < count; i++) {
    uint64_t code = code_at(codes, bytes, i) & (UINT32_MAX >> (32 - bits));
    int64_t at = i * bits;
    vector[at / 32] |= (uint32_t)(code << (at % 32));
    if (at % 32 + bits > 32) vector[at / 32 + 1] |= (uint32_t)(code >> (32 - at % 32));
  }
}

static int fits(int64_t count, int bits, const void *vector, int words) {
  return vector && words >= 0 && (count * bits + 31) / 32 <= words;
}

static int check(const bs_format *f, const void *from, int count) {
  if (!bs_is_format(f)) return bs_fail(BS_BAD_ARGUMENT, "the format handle is NULL or not open");
  if (count < 0 || count > BS_MOST_PACKED || !from)
    return bs_failf(BS_BAD_ARGUMENT, "an input is NULL, or %d elements are not 0 to %d", count,
                    BS_MOST_PACKED);
  return BS_OK;
}

static int too_short(void) {
  return bs_fail(BS_BAD_ARGUMENT, "an output vector is NULL or too short");
}

static float float_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

int bs_quantize_packed(const bs_format *f, const uint32_t *values, int count,
                       uint32_t tensor_scale, uint32_t *codes, int codes_words, uint32_t *scales,
                       int scales_words) {
  int code = check(f, values, count);
  if (code != BS_OK) return code;
  int64_t blocks = bs_scale_count(f, 1, 1, count);
  if (blocks < 0) return BS_NOT_DEFINED;
  if (!fits(count, f->code_bits, codes, codes_words) ||
      !fits(blocks, f->scale_bits, scales, scales_words))
    return too_short();
  float numbers[BS_MOST_PACKED], factor = float_of(tensor_scale);
  uint32_t wide[BS_MOST_PACKED], wide_scales[BS_MOST_PACKED];
  memcpy(numbers, values, (size_t)count * sizeof *numbers);
  code = bs_quantize(f, numbers, 1, 1, count, &factor, NULL, wide, wide_scales, NULL);
  if (code != BS_OK) return code;
  pack(wide, f->job.element.code_bytes, f->code_bits, count, codes, codes_words);
  pack(wide_scales, 4, f->scale_bits, blocks, scales, scales_words);
  return BS_OK;
}

int bs_dequantize_packed(const bs_format *f, const uint32_t *codes, const uint32_t *scales,
                         int count, uint32_t tensor_scale, uint32_t *values, int values_words) {
  int code = check(f, codes, count);
  if (code == BS_OK) code = check(f, scales, count);
  if (code != BS_OK) return code;
  int64_t blocks = bs_scale_count(f, 1, 1, count);
  if (blocks < 0) return BS_NOT_DEFINED;
  if (!fits(count, 32, values, values_words)) return too_short();
  float numbers[BS_MOST_PACKED];
  uint32_t wide[BS_MOST_PACKED], wide_scales[BS_MOST_PACKED];
  unpack(codes, f->code_bits, count, f->job.element.code_bytes, wide);
  unpack(scales, f->scale_bits, blocks, 4, wide_scales);
  code = bs_dequantize(f, wide, wide_scales, 1, 1, count, float_of(tensor_scale), numbers);
  if (code != BS_OK) return code;
  memset(values, 0, (size_t)values_words * sizeof *values);
  memcpy(values, numbers, (size_t)count * sizeof *numbers);
  return BS_OK;
}

int bs_encode_packed(const bs_format *f, const uint32_t *values, int count, uint32_t *codes,
                     int codes_words) {
  int code = check(f, values, count);
  if (code != BS_OK) return code;
  if (!fits(count, f->code_bits, codes, codes_words)) return too_short();
  float numbers[BS_MOST_PACKED];
  uint32_t wide[BS_MOST_PACKED];
  memcpy(numbers, values, (size_t)count * sizeof *numbers);
  code = bs_encode(f, numbers, count, NULL, wide);
  if (code == BS_OK) pack(wide, f->job.element.code_bytes, f->code_bits, count, codes, codes_words);
  return code;
}

int bs_decode_packed(const bs_format *f, const uint32_t *codes, int count, uint32_t *values,
                     int values_words) {
  int code = check(f, codes, count);
  if (code != BS_OK) return code;
  if (!fits(count, 32, values, values_words)) return too_short();
  float numbers[BS_MOST_PACKED];
  uint32_t wide[BS_MOST_PACKED];
  unpack(codes, f->code_bits, count, f->job.element.code_bytes, wide);
  code = bs_decode(f, wide, count, numbers);
  if (code != BS_OK) return code;
  memset(values, 0, (size_t)values_words * sizeof *values);
  memcpy(values, numbers, (size_t)count * sizeof *numbers);
  return BS_OK;
}

// A side of a packed dot product, unpacked.
typedef struct {
  uint32_t codes[BS_MOST_PACKED], scales[BS_MOST_PACKED];
  float factor;
} packed_side;

static bs_operand unpack_side(const bs_mma *u, int side, int k, const uint32_t *codes,
                              const uint32_t *scales, uint32_t tensor_scale, packed_side *to) {
  unpack(codes, u->code_bits[side], k, u->element[side].code_bytes, to->codes);
  if (u->has_scale[side])
    unpack(scales, u->scale_bits[side], bs_mma_scales(u, side, k), 4, to->scales);
  to->factor = float_of(tensor_scale);
  return (bs_operand){to->codes, to->scales, tensor_scale ? &to->factor : NULL};
}

int bs_dot_packed(const bs_mma *u, int k, const uint32_t *a_codes, const uint32_t *a_scales,
                  uint32_t a_tensor_scale, const uint32_t *b_codes, const uint32_t *b_scales,
                  uint32_t b_tensor_scale, int64_t c, int64_t *d) {
  if (!bs_is_mma(u)) return bs_fail(BS_BAD_ARGUMENT, "the unit's handle is NULL or not open");
  if (k < 0 || k > BS_MOST_PACKED || !a_codes || !b_codes || !d ||
      (u->has_scale[0] && !a_scales) || (u->has_scale[1] && !b_scales))
    return bs_failf(BS_BAD_ARGUMENT, "a vector is NULL, or k = %d is not 0 to %d", k,
                    BS_MOST_PACKED);
  packed_side side_a, side_b;
  bs_operand a = unpack_side(u, 0, k, a_codes, a_scales, a_tensor_scale, &side_a);
  bs_operand b = unpack_side(u, 1, k, b_codes, b_scales, b_tensor_scale, &side_b);
  union {
    uint16_t half;
    uint32_t word;
    int32_t integer;
    int64_t wide;
  } from, to;
  from.wide = to.wide = 0;
  int type = bs_mma_output(u, a.tensor_scale || b.tensor_scale);
  if (type == BS_FLOAT16) from.half = (uint16_t)c;
  else if (type == BS_INT64) from.wide = c;
  else from.word = (uint32_t)c;
  int code = bs_dot(u, k, &a, &b, &from, &to);
  if (code != BS_OK) return code;
  *d = type == BS_FLOAT16 ? to.half : type == BS_INT32 ? to.integer : type == BS_INT64 ? to.wide
                                                                                    : to.word;
  return BS_OK;
}

void *bs_format_open_handle(const char *file, const char *name, const char *block,
                            const char *recipe, const char *rounding) {
  bs_format *format = NULL;
  return bs_format_open_file(file, name, block, recipe, rounding, &format) == BS_OK ? format : NULL;
}

void bs_format_close_handle(void *format) { bs_format_close(format); }

void *bs_mma_open_handle(const char *file, const char *element_a, const char *scale_a, int block_a,
                         const char *element_b, const char *scale_b, int block_b,
                         const char *accumulator) {
  bs_mma *unit = NULL;
  return bs_mma_open(file, element_a, scale_a, block_a, element_b, scale_b, block_b, accumulator,
                     &unit) == BS_OK
             ? unit
             : NULL;
}

void bs_mma_close_handle(void *unit) { bs_mma_close(unit); }
