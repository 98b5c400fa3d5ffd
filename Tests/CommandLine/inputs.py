"""Inputs that the tests quantise: small, reproducible, and rich in boundary values."""

import random
import struct
from math import prod

from files import bits_to_float, float32

NAN, INFINITY = float("nan"), float("inf")


def single(value):
    """The float32 nearest to a Python float."""
    return struct.unpack("<f", struct.pack("<f", value))[0]


def normal(shape, seed=1, spread=1.0):
    """Normally distributed float32 values."""
    source = random.Random(seed)
    return float32([single(source.gauss(0, spread)) for _ in range(prod(shape))], shape)


def boundaries(shape, seed=2):
    """Multiples of 1/16 by many powers of two, negative zeros among them: rich in exact ties."""
    source = random.Random(seed)
    values = []
    for index in range(prod(shape)):
        size = source.randrange(0, 128) / 16 * 2.0 ** (index // 64 % 7 - 3)
        values.append(-size if source.random() < 0.5 else size)
    return float32(values, shape)


def any_finite(shape, seed=3):
    """Any finite float32 pattern, subnormals and the largest values included."""
    source = random.Random(seed)
    values = []
    while len(values) < prod(shape):
        bits = source.getrandbits(32)
        if bits >> 23 & 0xFF != 0xFF:
            values.append(bits_to_float(bits))
    return float32(values, shape)


def special(shape=(8, 64)):
    """Rows with zeros of both signs, NaN, infinities, subnormals and one value alone."""
    values = list(normal(shape, seed=4).data)
    columns = shape[1]
    values[0:columns] = [0.0, -0.0] * (columns // 2)
    values[columns + 3] = NAN
    values[2 * columns + 40] = INFINITY
    values[3 * columns + 41] = -INFINITY
    values[4 * columns : 5 * columns] = [bits_to_float(1 + 37 * i) for i in range(columns)]
    values[5 * columns : 6 * columns] = [-0.0] * columns
    values[5 * columns + 7] = 3.0e38
    values[6 * columns : 7 * columns] = [single(1e-30 * (i + 1)) for i in range(columns)]
    return float32(values, shape)
