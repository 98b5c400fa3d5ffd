"""Formats: quantising tensors and encoding numbers."""

import ctypes
import weakref

import numpy as np

from ._library import (BAD_ARGUMENT, NOT_DEFINED, BadArgument, NotDefined, check, library,
                       text)

_LINE, _TILE, _AXIS, _TENSOR = range(4)
_CODES = {1: np.uint8, 2: np.uint16, 4: np.uint32}


def pointer(array):
    return None if array is None else array.ctypes.data


def refuse(message):
    raise BadArgument(BAD_ARGUMENT, message)


def whole_codes(codes, dtype, what):
    """Codes as the library stores them; refuses what does not fit."""
    array = np.asarray(codes)
    if array.dtype == dtype:
        return np.ascontiguousarray(array)
    if array.dtype.kind not in "iu" or (array.size and (array.min() < 0 or
                                                        array.max() > np.iinfo(dtype).max)):
        refuse(f"{what}: expected integers that fit {np.dtype(dtype).name}, "
               f"got {array.dtype.name}")
    return np.ascontiguousarray(array.astype(dtype))


class Format:
    """An open format: a block format with its block and recipe, or an element format alone.

    name      as in `blockscale formats`: "nvfp4", or an element such as "e4m3".
    block     16, "16x16", "axis", "tensor"; None: the format's own.
    recipe    "exact" and others; None: exact.
    rounding  "tiesToEven", ..., "stochastic:8"; None: the recipe's.
    formats   a JSON5 file with rows of one's own.

    An open format may be used from several threads.
    """

    def __init__(self, name, block=None, recipe=None, rounding=None, formats=None):
        handle = ctypes.c_void_p()
        check(library.bs_format_open_file(text(formats), text(name), text(block), text(recipe),
                                          text(rounding), ctypes.byref(handle)))
        self._handle = handle
        self._finalizer = weakref.finalize(self, library.bs_format_close, handle)
        self.name = str(name)
        self.block = None if block is None else str(block)
        self.code_bits = library.bs_format_code_bits(handle)
        self.code_dtype = np.dtype(_CODES[library.bs_format_code_bytes(handle)])
        self.scale_bits = library.bs_format_scale_bits(handle)
        self.random_bits = library.bs_format_random_bits(handle)
        self.has_tensor_scale = bool(library.bs_format_has_tensor_scale(handle))
        rows, columns = ctypes.c_int64(), ctypes.c_int64()
        self._kind = library.bs_format_block(handle, ctypes.byref(rows), ctypes.byref(columns))
        self._sides = rows.value, columns.value

    def quantize(self, x, tensor_scale=None, axis=-1, seed=1, random_bits=None):
        """Codes, scales and tensor scale of an array, blocks along `axis` (tiles: the last two).

        tensor_scale  T of value = code · scale · T; None: from the array. 1 is none.
        seed          of stochastic rounding; random_bits: one value an element instead.

        Codes have the array's shape; scales its shape with the blocked axes divided, or [1] for
        one block for the whole array; T is a numpy.float32.
        """
        x = np.asarray(x, dtype=np.float32)
        random = self._random(x, seed, random_bits)
        if random is not None:
            random = self._to_last(random.reshape(x.shape), axis)
        x = self._to_last(x, axis)
        codes = np.zeros(x.shape, self.code_dtype)
        scales = np.zeros(self._scale_shape(x.shape), np.uint32)
        if tensor_scale is not None and not (np.isfinite(tensor_scale) and tensor_scale > 0):
            refuse(f"the tensor scale is {tensor_scale}, expected above 0")
        factor = ctypes.c_float(0 if tensor_scale is None else tensor_scale)
        check(library.bs_quantize(self._handle, pointer(x), *self._sizes(x.shape),
                                  ctypes.byref(factor), pointer(random), pointer(codes),
                                  pointer(scales), None))
        return self._from_last(codes, axis), self._from_last(scales, axis), np.float32(factor.value)

    def dequantize(self, codes, scales, tensor_scale=1.0, axis=-1):
        """The float32 values of an array of codes, as the recipe reads them back."""
        codes = self._to_last(whole_codes(codes, self.code_dtype, "codes"), axis)
        scales = self._to_last(whole_codes(scales, np.uint32, "scales"), axis)
        expected = self._scale_shape(codes.shape)
        if scales.shape != expected:
            refuse(f"scales: expected shape {expected} for codes of {codes.shape}, "
                   f"got {scales.shape}")
        values = np.zeros(codes.shape, np.float32)
        check(library.bs_dequantize(self._handle, pointer(codes), pointer(scales),
                                    *self._sizes(codes.shape), float(tensor_scale),
                                    pointer(values)))
        return self._from_last(values, axis)

    def encode(self, x, seed=1, random_bits=None):
        """Codes of numbers one by one, without a block: saturating, by the format's rounding."""
        x = np.ascontiguousarray(x, dtype=np.float32)
        codes = np.zeros(x.shape, self.code_dtype)
        random = self._random(x, seed, random_bits)
        check(library.bs_encode(self._handle, pointer(x), x.size, pointer(random), pointer(codes)))
        return codes

    def decode(self, codes):
        """The float32 values of element codes."""
        codes = whole_codes(codes, self.code_dtype, "codes")
        values = np.zeros(codes.shape, np.float32)
        check(library.bs_decode(self._handle, pointer(codes), codes.size, pointer(values)))
        return values

    def decode_scales(self, scales):
        """The float32 values of scale codes."""
        scales = whole_codes(scales, np.uint32, "scales")
        values = np.zeros(scales.shape, np.float32)
        check(library.bs_decode_scales(self._handle, pointer(scales), scales.size,
                                       pointer(values)))
        return values

    def scale_of(self, amax, tensor_scale=1.0):
        """The scale code of a block whose largest magnitude is `amax` (exact recipes)."""
        scale = ctypes.c_uint32()
        check(library.bs_scale_of(self._handle, float(amax), float(tensor_scale),
                                  ctypes.byref(scale)))
        return scale.value

    def tensor_scale(self, amax):
        """T of a tensor whose largest finite magnitude is `amax`."""
        factor = ctypes.c_float()
        check(library.bs_tensor_scale(self._handle, float(amax), ctypes.byref(factor)))
        return np.float32(factor.value)

    def _sizes(self, shape):
        """Matrices, rows and columns of a shape."""
        rows = shape[-2] if len(shape) > 1 else 1
        return int(np.prod(shape[:-2], dtype=np.int64)), rows, shape[-1]

    def _scale_shape(self, shape):
        if self._kind < 0:
            raise NotDefined(NOT_DEFINED, f"{self.name} is an element format, without blocks")
        if self._kind == _TENSOR:
            return (1 if np.prod(shape, dtype=np.int64) else 0,)
        if self._kind == _AXIS:
            return tuple(shape[:-1]) + (min(1, shape[-1]),)
        across = -(-shape[-1] // self._sides[1])
        if self._kind == _LINE:
            return tuple(shape[:-1]) + (across,)
        if len(shape) < 2:
            refuse(f"a tile lies on the last two axes, and the array has shape {shape}")
        return tuple(shape[:-2]) + (-(-shape[-2] // self._sides[0]), across)

    def _to_last(self, array, axis):
        """The array with the blocked axis last."""
        if array.ndim == 0:
            array = array.reshape(1)
        if not -array.ndim <= axis < array.ndim:
            refuse(f"axis {axis} is outside an array of {array.ndim} axes")
        if axis in (-1, array.ndim - 1) or self._kind in (_TILE, _TENSOR):
            return np.ascontiguousarray(array)
        return np.ascontiguousarray(np.moveaxis(array, axis, -1))

    def _from_last(self, array, axis):
        if self._kind in (_TILE, _TENSOR):
            return array
        return np.ascontiguousarray(np.moveaxis(array, -1, axis))

    def _random(self, x, seed, given):
        if self.random_bits == 0:
            return None
        if given is not None:
            given = whole_codes(given, np.uint32, "random_bits")
            if given.size != x.size:
                refuse(f"random_bits: expected {x.size} values, got {given.size}")
            return given
        values = np.zeros(x.size, np.uint32)
        check(library.bs_random(seed, 0, self.random_bits, x.size, pointer(values)))
        return values
