"""Matrix units in rational numbers: an independent reading of the accumulation specification.

Finite operands only. Every unit is its own few lines, written as section A.2 states it; no
parameter table is shared with the program under test.
"""

import math
import struct
from fractions import Fraction

from model import floor_log2, power


class Format:
    """A float element with sign, decoded to (signed significand, exponent) as A.2 has it."""

    def __init__(self, exponent_bits, mantissa_bits, bias):
        self.exponent_bits, self.mantissa_bits, self.bias = exponent_bits, mantissa_bits, bias

    def decode(self, code):
        field = code >> self.mantissa_bits & (1 << self.exponent_bits) - 1
        fraction = Fraction(code & (1 << self.mantissa_bits) - 1, 1 << self.mantissa_bits)
        sign = -1 if code >> self.exponent_bits + self.mantissa_bits & 1 else 1
        if field == 0:
            return sign * fraction, 1 - self.bias
        return sign * (1 + fraction), field - self.bias

    def value(self, code):
        significand, exponent = self.decode(code)
        return significand * power(exponent)


E2M1, E4M3, E5M2 = Format(2, 1, 1), Format(4, 3, 7), Format(5, 2, 15)
FP16, BF16, FP32 = Format(5, 10, 15), Format(8, 7, 127), Format(8, 23, 127)


def float_bits(value):
    return struct.unpack("<I", struct.pack("<f", value))[0]


def round_toward_zero(value, mantissa_bits):
    """A fraction cut to eight exponent bits and so many mantissa bits, as float32 bits."""
    if value == 0:
        return 0
    size = abs(value)
    unit = power(max(floor_log2(size), -126) - mantissa_bits)
    size = size // unit * unit
    bits = 0x7F800000 if size >= power(128) else float_bits(float(size))
    return bits | (0x80000000 if value < 0 else 0)


def round_to_nearest(value):
    """A fraction rounded once to float32, ties to even, as bits."""
    if value == 0:
        return 0
    size = abs(value)
    unit = power(max(floor_log2(size), -126) - 23)
    size = round(size / unit) * unit
    bits = 0x7F800000 if size >= power(128) else float_bits(float(size))
    return bits | (0x80000000 if value < 0 else 0)


def truncated_sum(terms, fraction, zero_exponent):
    """The sum of (significand, exponent) terms, each cut below 2^(largest exponent - fraction)."""
    largest = max(exponent if significand else zero_exponent for significand, exponent in terms)
    unit = power(largest - fraction)
    total = 0
    for significand, exponent in terms:
        scaled = significand * power(exponent) / unit
        total += math.trunc(scaled)
    return total * unit


def fused(a, b, c, step, fraction, zero_exponent, mantissa_bits, scale=lambda k: 0):
    """T-FDPA, and ST-FDPA where `scale` gives the scales' exponents: decoded a, b; c in bits."""
    for first in range(0, len(a), step):
        terms = [FP32.decode(c)]
        for k in range(first, first + step):
            if k < len(a):
                terms.append((a[k][0] * b[k][0], a[k][1] + b[k][1] + scale(k)))
            else:
                terms.append((Fraction(0), 0))
        c = round_toward_zero(truncated_sum(terms, fraction, zero_exponent), mantissa_bits)
    return c


def groups(depth, block_a, block_b):
    """Maximal runs of at most 16 k within one block of both operands."""
    runs, start = [], 0
    while start < depth:
        ends = (start + 16, depth, (start // block_a + 1) * block_a, (start // block_b + 1) * block_b)
        runs.append((start, min(ends)))
        start = min(ends)
    return runs


def grouped(a, b, c, scales_a, scales_b, block_a, block_b):
    """GST-FDPA of Blackwell's FP4 at K = 64: values of codes, (significand, exponent) of scales."""
    steps, held = [[]], 0
    for start, end in groups(len(a), block_a, block_b):
        if held + end - start > 64:
            steps.append([])
            held = 0
        steps[-1].append((start, end))
        held += end - start
    for step in steps:
        terms = [FP32.decode(c)]
        for start, end in step:
            left, right = scales_a[start // block_a], scales_b[start // block_b]
            products = [a[k] * b[k] for k in range(start, end)]
            significand = sum(products) * left[0] * right[0]
            if not any(products) or left[0] * right[0] == 0:
                terms.append((Fraction(0), 0))
            else:
                terms.append((significand, left[1] + right[1], "cancels to this exponent"))
        c = round_toward_zero(group_sum(terms), 23)
    return c


def group_sum(terms):
    """As `truncated_sum`, but a group that merely cancels keeps its scales' exponent."""
    largest = max(
        term[1] if term[0] or len(term) == 3 else -139 for term in terms)
    unit = power(largest - 35)
    return sum(math.trunc(term[0] * power(term[1]) / unit) for term in terms) * unit
