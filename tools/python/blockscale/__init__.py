"""Blockscale's formats and matrix units in Python, on ctypes and NumPy, bit for bit.

    import blockscale

    codes, scales, t = blockscale.quantize(x, "nvfp4")
    y = blockscale.dequantize(codes, scales, "nvfp4", tensor_scale=t)
    d = blockscale.mma(a_codes, b_codes, "e2m1", "blackwell-fp4", scale="ue4m3", block=16,
                       a_scales=sa, b_scales=sb)

The functions open a format or a unit by name and keep it; `Format` and `MatrixUnit` are the same
with a handle of one's own. Names are those of `blockscale formats`. Whatever is refused raises a
`BlockscaleError` that says what was expected.

The library is the one that `swift build -c release --product BlockscaleC` makes in the repository
this file lies in, or beside this file, or what the environment variable BLOCKSCALE_LIBRARY names.
"""

import functools
import os

from ._format import Format
from ._library import (BadArgument, BadFile, BlockscaleError, NotDefined, NotFinite, UnknownName,
                       UnknownStep, library)
from ._unit import MatrixUnit

__all__ = ["BadArgument", "BadFile", "BlockscaleError", "Format", "MatrixUnit", "NotDefined",
           "NotFinite", "UnknownName", "UnknownStep", "amax_scale", "decode", "dequantize", "dot",
           "encode", "mma", "quantize", "__version__"]

__version__ = library.bs_version().decode()



def _stamp(formats):
    """A file's name with its time, so that a changed file is read again."""
    try:
        return os.stat(formats).st_mtime_ns if formats is not None else None
    except OSError:
        return None


@functools.lru_cache(maxsize=256)
def _opened(stamp, kind, arguments):
    return kind(*arguments)


def _open_format(name, block, recipe, rounding, formats):
    return _opened(_stamp(formats), Format, (name, block, recipe, rounding, formats))


def quantize(x, format, block=None, recipe=None, tensor_scale=None, axis=-1, rounding=None, seed=1,
             random_bits=None, formats=None):
    """(codes, scales, tensor_scale) of an array; see Format.quantize."""
    return _open_format(format, block, recipe, rounding, formats).quantize(
        x, tensor_scale, axis, seed, random_bits)


def dequantize(codes, scales, format, block=None, recipe=None, tensor_scale=1.0, axis=-1,
               formats=None):
    """The float32 values of an array of codes; see Format.dequantize."""
    return _open_format(format, block, recipe, None, formats).dequantize(
        codes, scales, tensor_scale, axis)


def encode(x, element, rounding=None, seed=1, random_bits=None, formats=None):
    """Codes of numbers one by one, without a block."""
    return _open_format(element, None, None, rounding, formats).encode(x, seed, random_bits)


def decode(codes, element, formats=None):
    """The float32 values of element codes."""
    return _open_format(element, None, None, None, formats).decode(codes)


def amax_scale(amax, format, recipe=None, tensor_scale=1.0, formats=None):
    """The scale code of a block whose largest magnitude is `amax` (exact recipes)."""
    return _open_format(format, None, recipe, None, formats).scale_of(amax, tensor_scale)


def _open_unit(element, accumulator, scale, block, element_b, scale_b, block_b, scale_a, formats):
    return _opened(_stamp(formats), MatrixUnit, (
        element, accumulator, scale, block, element_b, scale_b, block_b, scale_a, formats))


def mma(a_codes, b_codes, element, accumulator, scale=None, block=None, a_scales=None,
        b_scales=None, c=None, a_tensor_scale=None, b_tensor_scale=None, element_b=None,
        scale_b=None, block_b=None, scale_a=None, formats=None):
    """D = A · B + C as a matrix unit adds it; see MatrixUnit.mma."""
    unit = _open_unit(element, accumulator, scale, block, element_b, scale_b, block_b, scale_a,
                      formats)
    return unit.mma(a_codes, b_codes, a_scales, b_scales, c, a_tensor_scale, b_tensor_scale)


def dot(a_codes, b_codes, element, accumulator, scale=None, block=None, a_scales=None,
        b_scales=None, c=None, a_tensor_scale=None, b_tensor_scale=None, element_b=None,
        scale_b=None, block_b=None, scale_a=None, formats=None):
    """One output of a matrix unit, or one of its fused steps; see MatrixUnit.dot."""
    unit = _open_unit(element, accumulator, scale, block, element_b, scale_b, block_b, scale_a,
                      formats)
    return unit.dot(a_codes, b_codes, a_scales, b_scales, c, a_tensor_scale, b_tensor_scale)
