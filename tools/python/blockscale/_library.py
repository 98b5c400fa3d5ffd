"""The C library: where it is, its functions, its errors."""

import ctypes
import os
from ctypes import POINTER, c_char_p, c_float, c_int, c_int64, c_uint32, c_uint64, c_void_p
from pathlib import Path

NAME = "libBlockscaleC.so"
INTERFACE = 1

BAD_ARGUMENT, UNKNOWN_NAME, BAD_FILE, NOT_DEFINED, NOT_FINITE, UNKNOWN_STEP, NO_MEMORY = range(1, 8)


class BlockscaleError(Exception):
    """A call that the library refused; `code` is its BS_ code."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class UnknownName(BlockscaleError, LookupError):
    """No format, recipe, rounding or accumulator has that name."""


class BadArgument(BlockscaleError, ValueError):
    """A size, a scale or a block out of range, or arrays that do not fit together."""


class NotDefined(BlockscaleError, ValueError):
    """The recipe, block or accumulator does not take this format."""


class BadFile(BlockscaleError, OSError):
    """A file of formats that cannot be read or used."""

    def __str__(self):
        return self.args[0]


class NotFinite(BlockscaleError, ArithmeticError):
    """NaN or infinity where the format or the register has none."""


class UnknownStep(BlockscaleError, ArithmeticError):
    """A step of a named recipe that nobody has established."""


_KINDS = {BAD_ARGUMENT: BadArgument, UNKNOWN_NAME: UnknownName, BAD_FILE: BadFile,
          NOT_DEFINED: NotDefined, NOT_FINITE: NotFinite, UNKNOWN_STEP: UnknownStep}


class Operand(ctypes.Structure):
    """bs_operand of blockscale.h."""

    _fields_ = [("codes", c_void_p), ("scales", c_void_p), ("tensor_scale", POINTER(c_float))]


_TEXT, _SIZE, _DATA = c_char_p, c_int64, c_void_p
_SIGNATURES = {
    "bs_version": (_TEXT, []),
    "bs_interface_version": (c_int, []),
    "bs_message": (_TEXT, [c_int]),
    "bs_last_error": (_TEXT, []),
    "bs_format_open_file": (c_int, [_TEXT] * 5 + [POINTER(c_void_p)]),
    "bs_format_close": (None, [_DATA]),
    "bs_format_code_bits": (c_int, [_DATA]),
    "bs_format_code_bytes": (c_int, [_DATA]),
    "bs_format_scale_bits": (c_int, [_DATA]),
    "bs_format_random_bits": (c_int, [_DATA]),
    "bs_format_has_tensor_scale": (c_int, [_DATA]),
    "bs_format_block": (c_int, [_DATA, POINTER(_SIZE), POINTER(_SIZE)]),
    "bs_scale_count": (_SIZE, [_DATA, _SIZE, _SIZE, _SIZE]),
    "bs_tensor_scale": (c_int, [_DATA, c_float, POINTER(c_float)]),
    "bs_amax": (c_int, [_DATA, _SIZE, POINTER(c_float)]),
    "bs_quantize": (c_int, [_DATA, _DATA, _SIZE, _SIZE, _SIZE, POINTER(c_float), _DATA, _DATA,
                            _DATA, POINTER(_SIZE)]),
    "bs_dequantize": (c_int, [_DATA, _DATA, _DATA, _SIZE, _SIZE, _SIZE, c_float, _DATA]),
    "bs_encode": (c_int, [_DATA, _DATA, _SIZE, _DATA, _DATA]),
    "bs_decode": (c_int, [_DATA, _DATA, _SIZE, _DATA]),
    "bs_scale_of": (c_int, [_DATA, c_float, c_float, POINTER(c_uint32)]),
    "bs_decode_scales": (c_int, [_DATA, _DATA, _SIZE, _DATA]),
    "bs_random": (c_int, [c_uint64, _SIZE, c_int, _SIZE, _DATA]),
    "bs_mma_open": (c_int, [_TEXT, _TEXT, _TEXT, _SIZE, _TEXT, _TEXT, _SIZE, _TEXT,
                            POINTER(c_void_p)]),
    "bs_mma_close": (None, [_DATA]),
    "bs_mma_step": (c_int, [_DATA]),
    "bs_mma_output": (c_int, [_DATA, c_int]),
    "bs_mma_code_bits": (c_int, [_DATA, c_int]),
    "bs_mma_code_bytes": (c_int, [_DATA, c_int]),
    "bs_mma_scale_bits": (c_int, [_DATA, c_int]),
    "bs_mma_scales": (_SIZE, [_DATA, c_int, _SIZE]),
    "bs_mma_multiply": (c_int, [_DATA, _SIZE, _SIZE, _SIZE, POINTER(Operand), POINTER(Operand),
                                _DATA, _DATA]),
    "bs_mma_prepare": (c_int, [_DATA, _SIZE, _SIZE, _SIZE]),
    "bs_thread_bytes": (_SIZE, []),
    "bs_thread_release": (None, []),
}


def _candidates():
    named = os.environ.get("BLOCKSCALE_LIBRARY")
    if named:
        return [Path(named)]
    here = Path(__file__).resolve().parent
    root = here.parents[2]
    return [here / NAME, root / ".build/release" / NAME, root / ".build/debug" / NAME]


def _load():
    tried = _candidates()
    path = next((path for path in tried if path.exists()), None)
    if path is None:
        raise ImportError(
            f"no {NAME}: tried {', '.join(map(str, tried))}; build it with `swift build -c release"
            " --product BlockscaleC`, or name it in BLOCKSCALE_LIBRARY")
    try:
        library = ctypes.CDLL(str(path))
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise ImportError(f"{path} cannot be used: {error}") from error
    if library.bs_interface_version() != INTERFACE:
        raise ImportError(f"{path} has interface {library.bs_interface_version()}, "
                          f"expected {INTERFACE}")
    return library


library = _load()


def check(code):
    """Raises what a nonzero code of the library stands for."""
    if code == 0:
        return
    if code == NO_MEMORY:
        raise MemoryError(library.bs_last_error().decode())
    raise _KINDS.get(code, BlockscaleError)(code, library.bs_last_error().decode(errors="replace"))


def text(name):
    """A name as C takes it; None stays NULL."""
    if name is None:
        return None
    data = os.fsencode(name) if isinstance(name, os.PathLike) else str(name).encode()
    if b"\0" in data:
        raise BadArgument(BAD_ARGUMENT, f"a name holds a zero byte: {name!r}")
    return data
