// Exact matrix products: c + T·sum as one wide integer, rounded once.
#include "exact_compare.h"
#include "matmul_exact.h"

#pragma STDC FP_CONTRACT OFF

// A number sign · magnitude · 2^exponent. All sums lie between 2^-894 and 2^895 (scaled values
// between 2^-298 and 2^256, two tensor scales between 2^-149 and 2^128, fewer than 2^63 products).
#define ROOM 32
typedef struct {
  uint64_t magnitude[ROOM];
  int words, exponent, negative;
} wide;

static inline wide from_sum(const uint64_t *sum, int words, int exponent) {
  wide r;
  r.words = words;
  r.exponent = exponent;
  r.negative = (int)(sum[words - 1] >> 63);
  uint64_t carry = (uint64_t)r.negative, flip = r.negative ? ~0ull : 0;
  for (int i = 0; i < words; i++) {
    r.magnitude[i] = (sum[i] ^ flip) + carry;
    carry = carry && r.magnitude[i] == 0;
  }
  return r;
}

static void multiply(wide *r, uint64_t factor) {
  uint64_t carry = 0;
  for (int i = 0; i < r->words; i++) {
    unsigned __int128 p = (unsigned __int128)r->magnitude[i] * factor + carry;
    r->magnitude[i] = (uint64_t)p;
    carry = (uint64_t)(p >> 64);
  }
  if (carry) r->magnitude[r->words++] = carry;
}

// Drops leading zeros; whether anything is left.
static inline int trim(wide *r) {
  while (r->words > 0 && r->magnitude[r->words - 1] == 0) r->words--;
  return r->words > 0;
}

static void shift_left(wide *r, int shift) {
  int whole = shift / 64, part = shift % 64;
  r->magnitude[r->words] = 0;
  for (int i = r->words; i >= 0; i--) {
    uint64_t below = i > 0 && part ? r->magnitude[i - 1] >> (64 - part) : 0;
    r->magnitude[i + whole] = r->magnitude[i] << part | below;
  }
  for (int i = 0; i < whole; i++) r->magnitude[i] = 0;
  r->words += whole + 1;
  r->exponent -= shift;
}

static int compare_magnitudes(const wide *a, const wide *b) {
  if (a->words != b->words) return a->words < b->words ? -1 : 1;
  for (int i = a->words - 1; i >= 0; i--)
    if (a->magnitude[i] != b->magnitude[i]) return a->magnitude[i] < b->magnitude[i] ? -1 : 1;
  return 0;
}

// The sum of two numbers without leading zeros and of the same exponent.
static wide add(const wide *a, const wide *b) {
  if (compare_magnitudes(a, b) < 0) {
    const wide *larger = b;
    b = a;
    a = larger;
  }
  wide r = *a;
  uint64_t carry = 0, flip = a->negative != b->negative;
  for (int i = 0; i < a->words; i++) {
    uint64_t term = i < b->words ? b->magnitude[i] : 0;
    if (flip) {
      r.magnitude[i] = a->magnitude[i] - term - carry;
      carry = a->magnitude[i] < term || (a->magnitude[i] == term && carry);
    } else {
      unsigned __int128 total = (unsigned __int128)a->magnitude[i] + term + carry;
      r.magnitude[i] = (uint64_t)total;
      carry = (uint64_t)(total >> 64);
    }
  }
  if (!flip && carry) r.magnitude[r.words++] = carry;
  return r;
}

static wide plus_c(wide sum, uint32_t c) {
  bk_exact split = bk_split(bk_float(c));
  wide addend = {{split.significand}, 1, split.exponent, (int)(c >> 31)};
  if (!trim(&sum)) return addend;
  if (sum.exponent > addend.exponent) shift_left(&sum, sum.exponent - addend.exponent);
  else shift_left(&addend, addend.exponent - sum.exponent);
  trim(&sum);
  trim(&addend);
  return add(&sum, &addend);
}

// The 64 bits of a magnitude from `position` on.
static inline uint64_t word_at(const wide *r, int position) {
  int word = position / 64, part = position % 64;
  uint64_t low = word < r->words ? r->magnitude[word] >> part : 0;
  uint64_t high = part && word + 1 < r->words ? r->magnitude[word + 1] << (64 - part) : 0;
  return low | high;
}

static int any_below(const wide *r, int position) {
  int word = position / 64;
  for (int i = 0; i < word; i++)
    if (r->magnitude[i]) return 1;
  return (r->magnitude[word] & ((1ull << position % 64) - 1)) != 0;
}

// tiesToEven to float32, subnormal results kept.
static inline uint32_t round_once(wide *r) {
  if (!trim(r)) return 0;
  uint32_t sign = (uint32_t)r->negative << 31;
  int length = 64 * r->words - __builtin_clzll(r->magnitude[r->words - 1]);
  int top = length - 1 + r->exponent;  // 2^top ≤ magnitude < 2^(top + 1)
  if (top > 127) return sign | 0x7f800000u;
  int last = top - 23 < -149 ? -149 : top - 23;  // the exponent of the last bit kept
  int drop = last - r->exponent;
  if (drop > length) return sign;
  uint64_t kept;
  if (drop <= 0) {
    kept = r->magnitude[0] << -drop;
  } else {
    kept = word_at(r, drop) & 0xffffff;
    uint64_t half = word_at(r, drop - 1) & 1;
    kept += half && ((kept & 1) || any_below(r, drop - 1));
  }
  // A carry out of the significand moves into the exponent by itself, up to infinity.
  return sign | (((uint32_t)(last + 149) << 23) + (uint32_t)kept);
}

static inline uint32_t canonical(double special, uint32_t nan) {
  return special != special ? nan : bk_bits((float)special);
}

void bk_exact_finish(const bk_exact_row *row, uint32_t *result) {
  bk_exact t = bk_product(bk_split(row->tensor_scale_a), bk_split(row->tensor_scale_b));
  for (int64_t j = 0; j < row->count; j++) {
    uint32_t c = row->c ? (uint32_t)row->c[row->place[j]] : 0;
    double special = row->specials ? row->specials[j] : 0;
    if ((c & 0x7f800000) == 0x7f800000) special += bk_float(c);
    if (special != 0) {
      result[row->place[j]] = canonical(special, row->nan);
      continue;
    }
    int exponent = row->exponent[j] + row->row_exponent + t.exponent;
    wide sum = from_sum(row->sums + j * row->words, row->words, exponent);
    if (t.significand != 1) multiply(&sum, t.significand);
    if (c & 0x7fffffff) sum = plus_c(sum, c);
    result[row->place[j]] = round_once(&sum);
  }
}
