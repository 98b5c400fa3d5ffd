// Exact matrix products: from codes to slices, and from products of slices to wide sums.
#include "kernels.h"
#include "matmul_exact.h"

#pragma STDC FP_CONTRACT OFF

#define PIECE 256

void bk_exact_values(int target, const bk_operand *o, int64_t line, int64_t start, int64_t count,
                     double *values) {
  float elements[PIECE], scales[PIECE + 1];
  const uint8_t *codes = (const uint8_t *)o->codes + (line * o->depth + start) * o->element->code_bytes;
  const uint32_t *scale_codes =
      o->scale ? o->scale_codes + line * ((o->depth + o->block - 1) / o->block) : NULL;
  for (int64_t done = 0; done < count; done += PIECE) {
    int64_t n = count - done < PIECE ? count - done : PIECE;
    bk_decode(target, o->element, codes + done * o->element->code_bytes, (size_t)n, elements);
    if (!o->scale) {
      for (int64_t i = 0; i < n; i++) values[done + i] = elements[i];
      continue;
    }
    int64_t first = (start + done) / o->block, last = (start + done + n - 1) / o->block;
    bk_decode_scales(o->scale, scale_codes + first, (size_t)(last - first + 1), scales);
    for (int64_t block = first, i = 0; i < n; block++) {
      int64_t end = (block + 1) * o->block - start - done;
      double scale = scales[block - first];
      for (end = end < n ? end : n; i < end; i++) values[done + i] = (double)elements[i] * scale;
    }
  }
}

static inline uint64_t bits_of(double value) {
  uint64_t bits;
  memcpy(&bits, &value, 8);
  return bits;
}

#define SIGNIFICAND(bits) (((bits) & 0xfffffffffffffull) | 0x10000000000000ull)
// The position of a finite value's leading one, given its exponent field.
#define LEADING(field) ((int)(field) - 1023 + BK_EXACT_POINT)

int bk_exact_bits(const double *values, int64_t count, uint64_t bits[BK_EXACT_WORDS]) {
  // Significands by position of their leading one, from entry 1; zeros fall into entry 0, what is
  // not finite into the last.
  enum { LAST = 64 * BK_EXACT_WORDS };
  uint64_t seen[LAST + 1] = {0};
  for (int64_t i = 0; i < count; i++) {
    uint64_t b = bits_of(values[i]);
    int entry = LEADING(b >> 52 & 2047) + 1;
    entry = entry < 0 ? 0 : entry > LAST ? LAST : entry;
    seen[entry] |= SIGNIFICAND(b);
  }
  for (int entry = 1; entry < LAST; entry++) {
    if (!seen[entry]) continue;
    int lowest = entry - 1 - 52;  // of the 53 bits; those below position 0 are zeros
    uint64_t significand = lowest < 0 ? seen[entry] >> -lowest : seen[entry];
    int word = lowest < 0 ? 0 : lowest / 64, shift = lowest < 0 ? 0 : lowest % 64;
    bits[word] |= significand << shift;
    if (shift > 11) bits[word + 1] |= significand >> (64 - shift);
  }
  return seen[LAST] != 0;
}

int bk_exact_cut(const uint64_t bits[BK_EXACT_WORDS], int width, int32_t *positions) {
  int count = 0, position = 0;
  while (position < 64 * BK_EXACT_WORDS) {
    uint64_t rest = bits[position / 64] >> (position % 64);
    if (!rest) {
      position = (position / 64 + 1) * 64;
      continue;
    }
    position += __builtin_ctzll(rest);
    if (positions) positions[count] = position;
    count++;
    position += width;
  }
  return count;
}

// Free of branches, so that it becomes vector shifts where there are such.
static inline __attribute__((always_inline)) void slice_body(const double *values, int64_t count,
                                                             int position, int width,
                                                             double *slice) {
  uint64_t mask = (1ull << width) - 1;
  for (int64_t i = 0; i < count; i++) {
    uint64_t b = bits_of(values[i]), field = b >> 52 & 2047;
    int64_t up = (int64_t)field - (1023 + 52 - BK_EXACT_POINT + position), down = -up;
    uint64_t left = SIGNIFICAND(b) << (up & 63), right = SIGNIFICAND(b) >> (down & 63);
    uint64_t integer = up >= 0 ? (up < 64 ? left : 0) : (down < 64 ? right : 0);
    integer = field == 2047 || field == 0 ? 0 : integer & mask;
    // An integer below 2^52 in the low bits of 2^52's pattern.
    uint64_t padded = integer | 0x4330000000000000ull;
    double magnitude;
    memcpy(&magnitude, &padded, 8);
    uint64_t result = bits_of(magnitude - 0x1p52) | (b & 0x8000000000000000ull);
    memcpy(&slice[i], &result, 8);
  }
}

#if defined(__x86_64__)
__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw"))) static void slice_avx512(
    const double *values, int64_t count, int position, int width, double *slice) {
  slice_body(values, count, position, width, slice);
}

__attribute__((target("avx2"))) static void slice_avx2(const double *values, int64_t count,
                                                       int position, int width, double *slice) {
  slice_body(values, count, position, width, slice);
}
#endif

void bk_exact_slice(int target, const double *values, int64_t count, int position, int width,
                    double *slice) {
  if (target == BK_TARGET_AUTO) target = bk_best_target();
#if defined(__x86_64__)
  if (target == BK_TARGET_AVX512) {
    slice_avx512(values, count, position, width, slice);
    return;
  }
  if (target == BK_TARGET_AVX2) {
    slice_avx2(values, count, position, width, slice);
    return;
  }
#endif
  slice_body(values, count, position, width, slice);
}

// sum += product · 2^shift, two's complement.
static inline void add_words(uint64_t *sum, int words, int64_t product, int shift) {
  int word = shift / 64;
  unsigned __int128 wide = (unsigned __int128)(__int128)product << (shift % 64);
  uint64_t parts[2] = {(uint64_t)wide, (uint64_t)(wide >> 64)};
  uint64_t fill = product < 0 ? ~0ull : 0, carry = 0;
  for (int i = word; i < words; i++) {
    uint64_t part = i - word < 2 ? parts[i - word] : fill;
    // Beyond the product, a carry into ones and no carry into zeros change nothing.
    if (i - word >= 2 && carry == (fill & 1)) return;
    unsigned __int128 total = (unsigned __int128)sum[i] + part + carry;
    sum[i] = (uint64_t)total;
    carry = (uint64_t)(total >> 64);
  }
}

void bk_exact_add(const double *products, const bk_exact_list *rows, const bk_exact_list *columns,
                  uint64_t *sums, int words, int64_t stride) {
  for (int64_t i = 0; i < rows->count; i++) {
    uint64_t *row = sums + rows->line[i] * stride * words;
    const double *product = products + i * columns->count;
    for (int64_t j = 0; j < columns->count; j++) {
      uint64_t *sum = row + columns->line[j] * words;
      int shift = rows->shift[i] + columns->shift[j];
      if (words == 2) {
        unsigned __int128 total = ((unsigned __int128)sum[1] << 64 | sum[0]) +
                                  ((unsigned __int128)(__int128)(int64_t)product[j] << shift);
        sum[0] = (uint64_t)total;
        sum[1] = (uint64_t)(total >> 64);
      } else {
        add_words(sum, words, (int64_t)product[j], shift);
      }
    }
  }
}

void bk_exact_specials(const double *line, const double *others, int64_t lines, int64_t count,
                       int32_t *places, double *sums, int64_t stride) {
  int64_t found = 0;
  for (int64_t k = 0; k < count; k++)
    if (!isfinite(line[k])) places[found++] = (int32_t)k;
  for (int64_t j = 0; j < lines; j++) {
    double sum = sums[j * stride];
    for (int64_t i = 0; i < found && sum == sum; i++)
      sum += line[places[i]] * others[j * count + places[i]];
    sums[j * stride] = sum;
  }
}
