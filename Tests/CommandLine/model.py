"""The exact recipe in rational numbers: an independent reading of the specification.

It shares no code with either engine. Elements are listed with their values, numbers are
`fractions.Fraction`, and each step is written as the definition states it, for clarity and not
for speed.
"""

import math
from bisect import bisect_right
from collections import namedtuple
from fractions import Fraction
from itertools import product

Element = namedtuple("Element", "bits mantissa values codes negate max_exponent")
Scale = namedtuple("Scale", "dtype maximum smallest nan encode decode normal top")
Format = namedtuple("Format", "element scale two_level block")
Quantised = namedtuple("Quantised", "codes scales scale_shape tensor_scale dequantised blocks")

TIES_TO_EVEN = "tiesToEven"


def power(exponent):
    return Fraction(2) ** exponent


def floor_log2(value):
    """The floor of the binary logarithm of a positive fraction."""
    guess = value.numerator.bit_length() - value.denominator.bit_length()
    return guess if power(guess) <= value else guess - 1


def round_binary(value, precision, lowest):
    """A non-negative fraction rounded to `precision` bits, ties to even; nothing below 2^lowest."""
    if value == 0:
        return value
    unit = power(max(floor_log2(value) - precision + 1, lowest))
    return Fraction(round(value / unit)) * unit


def to_float32(value):
    """The float32 nearest to a fraction (ties to even, overflow to infinity), as a Python float."""
    size = round_binary(abs(value), 24, -149)
    if size >= power(128):
        size = math.inf
    return math.copysign(float(size), value)


# Elements: the non-negative values in rising order, and the code of each.


def float_element(exponent_bits, mantissa_bits, bias, count=None):
    """A sign-magnitude float; `count` cuts off the codes above the largest finite value."""
    codes = range(count or 1 << (exponent_bits + mantissa_bits))
    values = []
    for code in codes:
        exponent, mantissa = code >> mantissa_bits, code & ((1 << mantissa_bits) - 1)
        whole = mantissa + (1 << mantissa_bits if exponent else 0)
        values.append(whole * power(max(exponent, 1) - bias - mantissa_bits))
    bits = 1 + exponent_bits + mantissa_bits
    return Element(bits, mantissa_bits, values, list(codes), lambda code: code | 1 << (bits - 1),
                   floor_log2(values[-1]))


def integer_element(bits, fraction_bits=0):
    """Two's complement, symmetric: the most negative code is not used."""
    codes = range(1 << (bits - 1))
    values = [code * power(-fraction_bits) for code in codes]
    return Element(bits, None, values, list(codes), lambda code: -code & ((1 << bits) - 1),
                   floor_log2(values[-1]))


E2M1 = float_element(2, 1, 1)
E2M3 = float_element(2, 3, 1)
E3M2 = float_element(3, 2, 3)
E4M3 = float_element(4, 3, 7, count=0x7F)
E5M2 = float_element(5, 2, 15, count=0x7C)
INT8 = integer_element(8)
INT4 = integer_element(4)
MXINT8 = integer_element(8, fraction_bits=6)


# Scales: `encode` takes the positive value that the block asks for, `decode` a stored code.

E8M0 = Scale("U8", None, None, 0xFF, None, lambda code: power(code - 127), power(-127), power(127))


def ue4m3_code(value):
    table = E4M3.values
    rounded = max(min(round_binary(value, 4, -9), table[-1]), table[1])
    return table.index(rounded)


def fp32_code(value):
    """An FP32 scale is stored as itself: its code is its value."""
    rounded = round_binary(value, 24, -149)
    return max(min(rounded, power(128) - power(104)), power(-149))


UE4M3 = Scale("U8", E4M3.values[-1], E4M3.values[1], 0x7F, ue4m3_code, lambda c: E4M3.values[c],
              power(-6), E4M3.values[-1])
FP32 = Scale("F32", power(128) - power(104), power(-149), math.nan, fp32_code, lambda c: c,
             power(-126), power(128) - power(104))

FORMATS = {
    "mxfp4": Format(E2M1, E8M0, False, 32),
    "mxfp6_e2m3": Format(E2M3, E8M0, False, 32),
    "mxfp6_e3m2": Format(E3M2, E8M0, False, 32),
    "mxfp8_e4m3": Format(E4M3, E8M0, False, 32),
    "mxfp8_e5m2": Format(E5M2, E8M0, False, 32),
    "mxint8": Format(MXINT8, E8M0, False, 32),
    "nvfp4": Format(E2M1, UE4M3, True, 16),
    "int8": Format(INT8, FP32, False, None),
    "int4": Format(INT4, FP32, False, None),
    "fp8_1x128": Format(E4M3, FP32, False, 128),
}


# Rounding one magnitude to an element.


def philox_word(index, seed):
    """Word 0 of Philox4x32-10 at this element."""
    mask = 0xFFFFFFFF
    counter = [index & mask, index >> 32, 0, 0]
    key = [seed & mask, seed >> 32]
    for _ in range(10):
        first, second = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = [(second >> 32) ^ counter[1] ^ key[0], second & mask,
                   (first >> 32) ^ counter[3] ^ key[1], first & mask]
        key = [(key[0] + 0x9E3779B9) & mask, (key[1] + 0xBB67AE85) & mask]
    return counter[0]


def goes_up(fraction, lower_code, rounding, negative, random):
    """Whether a value `fraction` of the way to the upper neighbour rounds away from zero."""
    half = Fraction(1, 2)
    if rounding == "stochastic":
        bits, number = random
        return math.floor(fraction * 2**bits) + number >= 2**bits
    return {
        "tiesToEven": fraction > half or (fraction == half and lower_code & 1 == 1),
        "tiesToAway": fraction >= half,
        "towardZero": False,
        "towardPositive": not negative,
        "towardNegative": negative,
        "toOdd": lower_code & 1 == 0,
    }[rounding]


def encode(element, value, negative, rounding=TIES_TO_EVEN, random=None):
    """Index into the element's values for a non-negative magnitude, saturating."""
    if value >= element.values[-1]:
        return len(element.values) - 1
    lower = bisect_right(element.values, value) - 1
    low, high = element.values[lower], element.values[lower + 1]
    if value == low:
        return lower
    fraction = (value - low) / (high - low)
    return lower + goes_up(fraction, element.codes[lower], rounding, negative, random)


# Blocks.


def strides(shape):
    return [math.prod(shape[i + 1 :]) for i in range(len(shape))]


def block_shape(shape, block, axis):
    """The block's extent on every axis; `block` is N, (R, C), "axis" or "tensor"."""
    if block == "tensor":
        return list(shape)
    extent = [1] * len(shape)
    if isinstance(block, tuple):
        extent[-2:] = block
    else:
        extent[axis] = shape[axis] if block == "axis" else block
    return extent


def split(shape, block, axis=-1):
    """Every block as a list of row-major indices, blocks in row-major order, and their grid."""
    extent = block_shape(shape, block, axis)
    grid = [math.ceil(n / e) for n, e in zip(shape, extent)]
    steps = strides(shape)
    blocks = []
    for place in product(*map(range, grid)):
        ranges = [range(p * e, min((p + 1) * e, n)) for p, e, n in zip(place, extent, shape)]
        blocks.append([sum(i * s for i, s in zip(at, steps)) for at in product(*ranges)])
    return blocks, grid


def e8m0_code(largest, element, recipe):
    """The block exponent by the OCP rule or one of its named alternatives, clamped."""
    top, below = element.max_exponent, floor_log2(largest)

    def ceiling(value):
        return floor_log2(value) + (value != power(floor_log2(value)))

    if recipe == "exact":
        exponent = below - top
    elif recipe == "exact-rceil":
        exponent = ceiling(largest / element.values[-1])
    elif recipe == "exact-ceil":
        exponent = ceiling(largest) - top
    elif recipe == "exact-even":
        threshold = 2 - power(-(element.mantissa + 1))
        exponent = below - top + (largest / power(below) >= threshold)
    else:
        # floor(log2(a) + 1/2) is one more exactly when (a / 2^below)^2 is at least 2.
        exponent = below - top + ((largest / power(below)) ** 2 >= 2)
    return min(max(exponent, -127), 127) + 127


def quantise(values, shape, name, block=None, axis=-1, recipe="exact", rounding=TIES_TO_EVEN,
             tensor_scale=None, random_bits=None, seed=1, bits=8):
    """Quantises Python floats that hold float32 values. `random_bits` lists one number each."""
    kind = FORMATS[name]
    element, scale = kind.element, kind.scale
    finite = [abs(v) for v in values if math.isfinite(v)]
    factor = tensor_scale
    if factor is None:
        factor = Fraction(1)
        if kind.two_level and any(finite):
            factor = round_binary(Fraction(max(finite)) / (scale.maximum * element.values[-1]),
                                  24, -149)
            factor = max(factor, power(-149))
    blocks, grid = split(shape, block or kind.block, axis)
    codes, dequantised, scales = [0] * len(values), [math.nan] * len(values), []
    for indices in blocks:
        if not all(math.isfinite(values[i]) for i in indices):
            scales.append(scale.nan)
            continue
        largest = max(Fraction(abs(values[i])) for i in indices)
        if largest == 0:
            code = 0
        elif scale is E8M0:
            code = e8m0_code(largest / factor, element, recipe)
        else:
            code = scale.encode(largest / (element.values[-1] * factor))
        scales.append(code)
        step = scale.decode(code) * factor
        for i in indices:
            negative = math.copysign(1, values[i]) < 0
            random = None
            if rounding == "stochastic":
                word = philox_word(i, seed) >> (32 - bits)
                random = (bits, word if random_bits is None else random_bits[i])
            at = 0
            if values[i] != 0:
                at = encode(element, abs(Fraction(values[i])) / step, negative, rounding, random)
            codes[i] = element.negate(element.codes[at]) if negative else element.codes[at]
            value = element.values[at] * step
            dequantised[i] = to_float32(-value if negative else value)
    return Quantised(codes, scales, grid, factor, dequantised, blocks)


def statistics(values, result, name):
    """The error statistics that need no choice, as fractions or floats, of an all-finite tensor."""
    kind = FORMATS[name]
    element = kind.element
    by_code = {}
    for value, code in zip(element.values, element.codes):
        by_code[element.negate(code)] = -value
        by_code[code] = value
    exact, steps = [Fraction(0)] * len(values), [Fraction(0)] * len(values)
    for indices, code in zip(result.blocks, result.scales):
        step = kind.scale.decode(code) * result.tensor_scale
        for i in indices:
            exact[i], steps[i] = by_code[result.codes[i]] * step, step
    x = [Fraction(v) for v in values]
    errors = [q - v for q, v in zip(exact, x)]
    relative = [abs(e / v) for e, v in zip(errors, x) if v != 0]
    squares, energy = sum(e * e for e in errors), sum(v * v for v in x)
    dot, quantised = sum(q * v for q, v in zip(exact, x)), sum(q * q for q in exact)
    parts = dict.fromkeys(("underflow", "clamped", "saturated", "flushed", "rounding"), Fraction(0))
    for v, q, s, e in zip(x, exact, steps, errors):
        step = s / result.tensor_scale
        beyond = abs(v) > element.values[-1] * s
        part = ("underflow" if step < kind.scale.normal
                else "clamped" if beyond and step >= kind.scale.top
                else "saturated" if beyond
                else "flushed" if v and not q else "rounding")
        parts[part] += e * e
    return {
        **{f"nmse_{name}": value / energy for name, value in parts.items() if name != "rounding"},
        "count": len(x),
        "mean_error": sum(errors) / len(x),
        "mse": squares / len(x),
        "nmse": squares / energy,
        "sqnr_db": 10 * math.log10(energy / squares),
        "max_abs_error": max(abs(e) for e in errors),
        "mean_relative_error": sum(relative) / len(relative),
        "max_relative_error": max(relative),
        "cosine": float(dot) / math.sqrt(energy * quantised),
        "saturated": sum(abs(v) > element.values[-1] * s for v, s in zip(x, steps) if s),
        "flushed": sum(v != 0 and q == 0 for v, q in zip(x, exact)),
        "nan": 0,
    }
