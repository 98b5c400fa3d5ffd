"""Matrix units: dot products and whole products."""

import ctypes
import weakref

import numpy as np

from ._format import _CODES, pointer, refuse, whole_codes
from ._library import Operand, check, library, text

_OUTPUTS = (np.float32, np.float16, np.int32, np.int64)


class MatrixUnit:
    """Two operand formats and an accumulator, by name.

    element, element_b  element formats ("fp32" for plain numbers); element_b None: as element.
    accumulator         "exact", "blackwell-fp4", "fixed(24,-10,wrap)", ...
    scale, block        scale format and Q_b along K of both sides; None: unscaled.
    scale_b, block_b    of B where it differs; scale_a False or scale_b False: that side is unscaled.
    formats             a JSON5 file with rows of one's own.

    An open unit may be used from several threads.
    """

    def __init__(self, element, accumulator, scale=None, block=None, element_b=None, scale_b=None,
                 block_b=None, scale_a=None, formats=None):
        first = None if scale_a is False else scale_a or scale
        second = None if scale_b is False else scale_b or scale
        block_b = block if block_b is None else block_b
        if (first and block is None) or (second and block_b is None):
            refuse("a scaled operand needs a block size")
        handle = ctypes.c_void_p()
        check(library.bs_mma_open(text(formats), text(element), text(first), block or 0,
                                  text(element_b), text(second), block_b or 0, text(accumulator),
                                  ctypes.byref(handle)))
        self._handle = handle
        self._finalizer = weakref.finalize(self, library.bs_mma_close, handle)
        self.accumulator = accumulator
        # Terms of one fused step; 0 where a step takes all of K.
        self.step = library.bs_mma_step(handle)
        self.scaled = tuple(library.bs_mma_scale_bits(handle, side) > 0 for side in (0, 1))
        self.code_dtypes = tuple(np.dtype(_CODES[library.bs_mma_code_bytes(handle, side)])
                                 for side in (0, 1))

    def mma(self, a_codes, b_codes, a_scales=None, b_scales=None, c=None, a_tensor_scale=None,
            b_tensor_scale=None):
        """D = A · B + C as the unit adds it: A is [m, k], B is [k, n], scales [m, ceil(k/block)]
        and [ceil(k/block), n], C and D [m, n]. D's type is the accumulator's: float32, float16,
        int32 or int64; C has its type (other C is converted where no value changes)."""
        a = self._lines(a_codes, 0, "A")
        b = self._lines(np.asarray(b_codes).T, 1, "B")
        if a.shape[1] != b.shape[1]:
            refuse(f"the inner dimensions differ: A is {a.shape}, B is {b.shape[::-1]}")
        scales_b = None if b_scales is None else np.asarray(b_scales).T
        return self._multiply(a, b, self._scales(a_scales, 0, a.shape, "A"),
                              self._scales(scales_b, 1, b.shape, "B"), c, a_tensor_scale,
                              b_tensor_scale)

    def dot(self, a_codes, b_codes, a_scales=None, b_scales=None, c=None, a_tensor_scale=None,
            b_tensor_scale=None):
        """One output: two lines of k codes with their scales, added to c. With k at most `step` it is
        one fused step."""
        a = self._lines(np.asarray(a_codes).reshape(1, -1), 0, "A")
        b = self._lines(np.asarray(b_codes).reshape(1, -1), 1, "B")
        if a.shape != b.shape:
            refuse(f"the lines differ in length: {a.size} and {b.size}")
        rows = [None if s is None else np.asarray(s).reshape(1, -1) for s in (a_scales, b_scales)]
        start = None if c is None else np.asarray(c).reshape(1, 1)
        return self._multiply(a, b, self._scales(rows[0], 0, a.shape, "A"),
                              self._scales(rows[1], 1, b.shape, "B"), start, a_tensor_scale,
                              b_tensor_scale)[0, 0]

    def _lines(self, codes, side, name):
        array = np.asarray(codes)
        if array.ndim != 2:
            refuse(f"{name}: expected two axes, got shape {array.shape}")
        if self.code_dtypes[side] == np.uint32 and array.dtype == np.float32:
            return np.ascontiguousarray(array).view(np.uint32)
        return whole_codes(array, self.code_dtypes[side], name)

    def _scales(self, scales, side, shape, name):
        if not self.scaled[side]:
            if scales is not None:
                refuse(f"S{name}: the unit was opened without scales for {name}")
            return None
        expected = (shape[0], library.bs_mma_scales(self._handle, side, shape[1]))
        if scales is None or np.shape(scales) != expected:
            refuse(f"S{name}: expected {expected} scales by lines along K, "
                   f"got {None if scales is None else np.shape(scales)}")
        array = np.asarray(scales)
        if array.dtype == np.float32:
            return np.ascontiguousarray(array).view(np.uint32)
        return whole_codes(array, np.uint32, f"S{name}")

    def _multiply(self, a, b, scales_a, scales_b, c, factor_a, factor_b):
        has_factor = factor_a is not None or factor_b is not None
        dtype = np.dtype(_OUTPUTS[library.bs_mma_output(self._handle, int(has_factor))])
        shape = (a.shape[0], b.shape[0])
        start = None if c is None else _addend(c, dtype, shape)
        d = np.zeros(shape, dtype)
        sides = [Operand(pointer(codes), pointer(scales), _factor(factor))
                 for codes, scales, factor in ((a, scales_a, factor_a), (b, scales_b, factor_b))]
        check(library.bs_mma_multiply(self._handle, *shape, a.shape[1], ctypes.byref(sides[0]),
                                      ctypes.byref(sides[1]), pointer(start), pointer(d)))
        return d


def _factor(value):
    return None if value is None else ctypes.pointer(ctypes.c_float(value))


def _addend(c, dtype, shape):
    array = np.asarray(c)
    if array.shape != shape:
        refuse(f"C: expected shape {shape}, got {array.shape}")
    if array.dtype == dtype:
        return np.ascontiguousarray(array)
    with np.errstate(over="ignore", invalid="ignore"):
        converted = array.astype(dtype)
    same = (converted == array) | ((array != array) & (converted != converted))
    if not np.all(same):
        refuse(f"C: a value of {array.dtype.name} does not fit {dtype.name}")
    return np.ascontiguousarray(converted)
