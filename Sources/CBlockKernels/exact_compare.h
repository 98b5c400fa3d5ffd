// Exact decisions on x / (s·T): no quotient is ever rounded, only products of integers compared.
#ifndef EXACT_COMPARE_H
#define EXACT_COMPARE_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "block_kernels.h"

#pragma STDC FP_CONTRACT OFF

// A positive real number significand · 2^exponent.
typedef struct {
  uint64_t significand;  // at most 48 bits
  int32_t exponent;
} bk_exact;

static inline uint32_t bk_bits(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  return bits;
}

static inline float bk_float(uint32_t bits) {
  float x;
  memcpy(&x, &bits, 4);
  return x;
}

static inline bk_exact bk_split(float x) {
  uint32_t bits = bk_bits(x) & 0x7fffffff, field = bits >> 23, fraction = bits & 0x7fffff;
  bk_exact r = {fraction | (field ? 0x800000 : 0), (int32_t)(field ? field : 1) - 150};
  return r;
}

static inline bk_exact bk_product(bk_exact a, bk_exact b) {
  while (a.significand && !(a.significand & 1)) a.significand >>= 1, a.exponent++;
  while (b.significand && !(b.significand & 1)) b.significand >>= 1, b.exponent++;
  bk_exact r = {a.significand * b.significand, a.exponent + b.exponent};
  return r;
}

static inline double bk_approximate(bk_exact a) { return ldexp((double)a.significand, a.exponent); }

static inline int bk_length(unsigned __int128 v) {
  uint64_t high = (uint64_t)(v >> 64), low = (uint64_t)v;
  return high ? 128 - __builtin_clzll(high) : low ? 64 - __builtin_clzll(low) : 0;
}

// The sign of x − b·d for finite x ≥ 0, b ≥ 0 and d > 0.
static inline int bk_compare(float x, double b, bk_exact d) {
  if (b == 0) return x > 0;
  if (x == 0) return -1;
  bk_exact left = bk_split(x);
  int b_exponent;
  uint64_t b_significand = (uint64_t)ldexp(frexp(b, &b_exponent), 53);
  unsigned __int128 l = left.significand, r = (unsigned __int128)b_significand * d.significand;
  int top_l = bk_length(l) + left.exponent, top_r = bk_length(r) + b_exponent - 53 + d.exponent;
  if (top_l != top_r) return top_l < top_r ? -1 : 1;
  int shift = bk_length(r) - bk_length(l);
  if (shift >= 0) l <<= shift;
  else r <<= -shift;
  return l < r ? -1 : l > r;
}

// 2^exponent from its bits, within the normal range of float64.
static inline double bk_power(int exponent) {
  uint64_t bits = (uint64_t)(exponent + 1023) << 52;
  double power;
  memcpy(&power, &bits, 8);
  return power;
}

// The value of a magnitude code, also of codes beyond the largest.
static inline double bk_magnitude(const bk_element *e, uint32_t code) {
  int quantum = e->min_exponent - e->mantissa_bits;
  if (e->min_exponent > 127 || code >> e->mantissa_bits == 0) return (double)code * bk_power(quantum);
  uint32_t one = 1u << e->mantissa_bits;
  uint32_t fraction = (code & (one - 1)) | one;
  return (double)fraction * bk_power(quantum + (int)(code >> e->mantissa_bits) - 1);
}

#endif
