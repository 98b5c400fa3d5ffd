"""The device's formats, decoded exactly: integers in units of a power of two.

Independent of Blockscale: make_vectors.py compares both and writes nothing if they differ.
"""

ELEMENTS = {"e2m1": 0, "e4m3": 1, "mxint8": 2, "int8": 2}
INT_FRACTION = {"mxint8": 6}
SCALES = {"e8m0": 0, "ue4m3": 1}
ELEMENT_BITS = {"e2m1": 4, "e4m3": 8, "mxint8": 8, "int8": 8}
ELEMENT_UNIT = {"e2m1": -1, "e4m3": -9, "mxint8": -6, "int8": 0}
NAN = 0x7FC00000
INFINITY = 0x7F800000
LARGEST = 0x7F7FFFFF


def _small_float(code, exponent_bits, mantissa_bits):
    field = code >> mantissa_bits & (1 << exponent_bits) - 1
    fraction = code & (1 << mantissa_bits) - 1
    return fraction if field == 0 else (fraction | 1 << mantissa_bits) << (field - 1)


def element(name, code):
    """The value in units of 2^ELEMENT_UNIT, or None for NaN."""
    if name in ("mxint8", "int8"):
        return code - 256 if code >= 128 else code
    if name == "e2m1":
        magnitude = _small_float(code & 7, 2, 1)
        return -magnitude if code & 8 else magnitude
    if code & 127 == 127:
        return None
    magnitude = _small_float(code & 127, 4, 3)
    return -magnitude if code & 128 else magnitude


def scale(name, code):
    """Significand and exponent, or None for NaN."""
    if name == "e8m0":
        return None if code == 255 else (1, code - 127)
    code &= 127
    return None if code == 127 else (_small_float(code, 4, 3), -9)


def float32(bits):
    """Signed significand and exponent of a finite number."""
    field, fraction = bits >> 23 & 255, bits & 0x7FFFFF
    significand = fraction if field == 0 else fraction | 0x800000
    return -significand if bits >> 31 else significand, max(field, 1) - 150


def round_to_float32(number, exponent):
    """The bits of number x 2^exponent, to nearest, ties to even. Zero is +0."""
    sign, number = (1 << 31, -number) if number < 0 else (0, number)
    if number == 0:
        return 0
    drop = max(number.bit_length() - 24, -149 - exponent)
    if drop > 0:
        kept, rest, half = number >> drop, number & (1 << drop) - 1, 1 << drop - 1
        kept += rest > half or (rest == half and kept & 1)
    else:
        kept = number << -drop
    exponent += drop
    if kept.bit_length() > 24:
        kept, exponent = kept >> 1, exponent + 1
    if kept >> 23 == 0:
        return sign | kept
    field = exponent + 150
    return sign | (INFINITY if field >= 255 else field << 23 | kept & 0x7FFFFF)


def add(number, exponent, other, other_exponent):
    """The exact sum of two numbers, each an integer and the exponent of its unit."""
    low = min(exponent, other_exponent)
    return (number << exponent - low) + (other << other_exponent - low), low


def term(shape, case):
    """The exact scaled sum of a case as integer and exponent, or None for NaN."""
    scales = scale(shape.scale, case.scale_a), scale(shape.scale, case.scale_b)
    total, unit = 0, 2 * ELEMENT_UNIT[shape.element] + shape.dropped
    for code_a, code_b in zip(case.a, case.b):
        a, b = element(shape.element, code_a), element(shape.element, code_b)
        if a is None or b is None:
            return None
        total += a * b >> shape.dropped
    if None in scales:
        return None
    (factor_a, exponent_a), (factor_b, exponent_b) = scales
    return total * factor_a * factor_b, unit + exponent_a + exponent_b


def dot(shape, case):
    """The device's result: round(c + scale_a * scale_b * sum of a*b)."""
    value = term(shape, case)
    huge, fraction = case.c & INFINITY == INFINITY, case.c & 0x7FFFFF
    if value is None or (huge and fraction):
        return NAN
    return case.c if huge else round_to_float32(*add(*value, *float32(case.c)))
